// What the pages' programs need: a folder with the packages, a ratings service that notes what arrives, and a port.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { Expected, LINES, joined, relevant } from '../inbound.mjs'

const PATIENCE = 60_000
// Hapi refuses cookies with blanks and quotes.
const tame = ([name, value]) => [name, name === 'cookie' ? 'session=a; user=jason' : value]
const SENT = LINES.map(tame)

/** Where the packages are. */
export const MODULES = fileURLToPath(new URL('../node_modules', import.meta.url))

/** What arrives at ratings where everything is forwarded. */
export const EVERYTHING = joined(Expected.ALL.map(tame))

/** The code on a page. */
export function blocks(page) {
  const text = readFileSync(new URL(`../../../docs/node/${page}.md`, import.meta.url), 'utf8')
  return [...text.matchAll(/```(js|ts)\n([\s\S]*?)```/g)].map(([, language, code]) => ({ language, code }))
}

/** A folder with the matrix's packages in it, some of them by another name, until the test `t` ends. */
export function folder(t, names = {}) {
  const made = mkdtempSync(join(tmpdir(), 'onward-page-'))
  t.after(() => rmSync(made, { recursive: true, force: true }))
  const modules = join(made, 'node_modules')
  mkdirSync(modules)
  const entries = readdirSync(MODULES).filter((name) => !Object.hasOwn(names, name)).map((name) => [name, name])
  for (const [name, from] of [...entries, ...Object.entries(names)]) {
    if (from !== undefined) symlinkSync(join(MODULES, from), join(modules, name), 'junction')
  }
  return made
}

/** The ratings service. */
export class Ratings {
  #received = []
  #server = http.createServer((request, response) => {
    this.#received.push([request.url, request.rawHeaders])
    response.end('five stars')
  })

  static async start() {
    const ratings = new Ratings()
    ratings.#server.listen(0, '127.0.0.1')
    await once(ratings.#server, 'listening')
    return ratings
  }

  close() {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  /** A program of a page that calls this service, and listens itself on `port` of loopback only. */
  local(code, port) {
    return code
      .replaceAll('http://ratings:9080', 'RATINGS')
      .replaceAll('9080', String(port))
      .replaceAll('RATINGS', `http://127.0.0.1:${this.#server.address().port}`)
      .replaceAll('0.0.0.0', '127.0.0.1')
  }

  /** What arrives of a request to the program on `port`. */
  async arrived(port, path, speaks) {
    this.#received.length = 0
    const answer = speaks === 'h2c' ? await overHttp2(port, path) : await overHttp1(port, path)
    assert.match(answer, /five stars/)
    const [[url, flat], ...others] = this.#received
    assert.deepEqual([url, others], ['/ratings/0', []])
    return joined(relevant(Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i].toLowerCase(), flat[2 * i + 1]])))
  }
}

async function overHttp1(port, path) {
  const headers = ['host', 'reviews', ...SENT.flat()]
  const request = http.get({ port, host: 'localhost', path, headers, agent: false, signal: AbortSignal.timeout(PATIENCE) })
  const [response] = await once(request, 'response')
  return (await response.toArray()).join('')
}

async function overHttp2(port, path) {
  const session = http2.connect(`http://localhost:${port}`)
  try {
    const valuesOf = (wanted) => SENT.filter(([name]) => name === wanted).map(([, value]) => value)
    const headers = Object.fromEntries(SENT.map(([name]) => [name, valuesOf(name)]))
    const stream = session.request({ ':path': path, ...headers }, { signal: AbortSignal.timeout(PATIENCE) })
    return (await stream.setEncoding('utf8').toArray()).join('')
  } finally {
    session.destroy()
  }
}

/** The environment of this process without what could change the program. */
export function environment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(ONWARD|NODE)_/.test(name)))
}

/** Starts a program, waits until it listens on `port`, and stops it when the test `t` ends. */
export async function start(t, cwd, args, port) {
  const child = spawn(process.execPath, args, { cwd, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'exit')
  const output = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => output.push(piece))
  t.after(() => {
    child.kill()
    return ended
  })
  for (const end = Date.now() + PATIENCE; child.exitCode === null && Date.now() < end; await setTimeout(20)) {
    const socket = net.connect(port, 'localhost')
    const connected = await once(socket, 'connect').then(() => true, () => false)
    socket.destroy()
    if (connected) return
  }
  assert.fail(`it does not listen: ${output.join('')}`)
}

export async function freePort() {
  const probe = net.createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  return port
}
