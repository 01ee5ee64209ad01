// Each program in the frameworks' pages runs as the page says, and calls on with the headers of its request.

import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { Expected, LINES, joined, relevant } from '../inbound.mjs'

const PATIENCE = 30_000
const MODULES = fileURLToPath(new URL('../node_modules', import.meta.url))
// Hapi refuses cookies with blanks and quotes.
const tame = ([name, value]) => [name, name === 'cookie' ? 'session=a; user=jason' : value]
const SENT = LINES.map(tame)
const EVERYTHING = joined(Expected.ALL.map(tame))

// Without this of the page's first program nothing is forwarded.
const PAGES = [
  { page: 'http', line: 'onward.propagate(', instead: '(' },
  { page: 'http2', line: 'onward.propagate(', instead: '(', speaks: 'h2c' },
  { page: 'express', line: 'app.use(onward.express())', express: 'express4' },
  { page: 'express', line: 'app.use(onward.express())', express: 'express5' },
  { page: 'fastify', line: 'await app.register(onward.fastify)' },
  { page: 'koa', line: 'app.use(onward.koa())' },
  { page: 'hapi', line: 'await server.register(onward.hapi)' },
  { page: 'hono', line: 'app.use(onward.hono())' },
  { page: 'nest', line: 'app.use(onward.express())' }
]

let ratings
const received = []

before(async () => {
  ratings = http.createServer((request, response) => {
    received.push([request.url, request.rawHeaders])
    response.end('five stars')
  })
  ratings.listen(0, '127.0.0.1')
  await once(ratings, 'listening')
})
after(() => {
  ratings.closeAllConnections()
  ratings.close()
})

/** The page's programs, and whether they are TypeScript. */
function programs(page) {
  const text = readFileSync(new URL(`../../../docs/node/${page}.md`, import.meta.url), 'utf8')
  return [...text.matchAll(/```(js|ts)\n([\s\S]*?)```/g)].map(([, language, code]) => ({ language, code }))
}

/** Starts a program in a folder of its own, with `ratings` on loopback, and gives its port. */
async function start(t, { language, code }, express) {
  const folder = mkdtempSync(join(tmpdir(), 'onward-page-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  install(folder, express)
  const port = await freePort()
  const local = code
    .replaceAll('http://ratings:9080', 'RATINGS')
    .replaceAll('9080', String(port))
    .replaceAll('RATINGS', `http://127.0.0.1:${ratings.address().port}`)
    .replaceAll('0.0.0.0', '127.0.0.1')
  writeFileSync(join(folder, language === 'ts' ? 'reviews.mts' : 'reviews.mjs'), local)
  if (language === 'ts') compile(folder)
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(ONWARD|NODE)_/.test(name)))
  const child = spawn(process.execPath, ['reviews.mjs'], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'exit')
  const output = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => output.push(piece))
  t.after(() => {
    child.kill()
    return ended
  })
  await listening(port, child, output)
  return port
}

/** The matrix's packages, with `express` being of one generation. */
function install(folder, express) {
  const modules = join(folder, 'node_modules')
  mkdirSync(modules)
  for (const name of readdirSync(MODULES)) {
    if (name !== 'express') symlinkSync(join(MODULES, name), join(modules, name), 'junction')
  }
  symlinkSync(join(MODULES, express ?? 'express5'), join(modules, 'express'), 'junction')
}

function compile(folder) {
  const compilerOptions = {
    module: 'nodenext', target: 'es2022', strict: true, skipLibCheck: true, types: ['node'],
    experimentalDecorators: true, emitDecoratorMetadata: true
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['reviews.mts'] }))
  const tsc = join(MODULES, 'typescript', 'bin', 'tsc')
  execFileSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8', stdio: ['ignore', 'inherit', 'inherit'] })
}

async function freePort() {
  const probe = net.createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  return port
}

async function listening(port, child, output) {
  for (const end = Date.now() + PATIENCE; child.exitCode === null && Date.now() < end; await setTimeout(20)) {
    const socket = net.connect(port, 'localhost')
    const connected = await once(socket, 'connect').then(() => true, () => false)
    socket.destroy()
    if (connected) return
  }
  assert.fail(`it does not listen: ${output.join('')}`)
}

/** What arrives at ratings of a request to the program. */
async function arrived(port, path, speaks) {
  received.length = 0
  const answer = speaks === 'h2c' ? await overHttp2(port, path) : await overHttp1(port, path)
  assert.equal(answer, 'five stars')
  const [[url, flat]] = received
  assert.equal(received.length, 1)
  assert.equal(url, '/ratings/0')
  const lines = Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i].toLowerCase(), flat[2 * i + 1]])
  return joined(relevant(lines))
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
    const headers = Object.fromEntries(SENT.map(([name]) => [name, SENT.filter(([other]) => other === name).map(([, value]) => value)]))
    const stream = session.request({ ':path': path, ...headers }, { signal: AbortSignal.timeout(PATIENCE) })
    return (await stream.setEncoding('utf8').toArray()).join('')
  } finally {
    session.destroy()
  }
}

test('every page shows the one line, and the way by hand', () => {
  for (const { page, line } of PAGES) {
    const [first, ...others] = programs(page).map(({ code }) => code)
    assert.equal(first.split(line).length, 2, page)
    assert.ok(others.some((code) => code.includes('getForwardHeaders')), page)
  }
})

for (const { page, line, instead = '', speaks, express } of PAGES) {
  const name = express ?? page
  for (const [number, program] of programs(page).entries()) {
    test(`${name}: program ${number + 1} forwards everything`, async (t) => {
      const port = await start(t, program, express)
      const paths = ['/reviews', '/by-hand'].filter((path) => program.code.includes(path.slice(1)))
      for (const path of paths.length === 0 ? ['/reviews'] : paths) {
        assert.deepEqual(await arrived(port, path, speaks), EVERYTHING, path)
      }
    })
  }

  test(`${name}: without the page's line nothing is forwarded`, async (t) => {
    const [{ language, code }] = programs(page)
    const port = await start(t, { language, code: code.replace(line, instead) }, express)
    assert.deepEqual(await arrived(port, '/reviews', speaks), new Map())
  })
}
