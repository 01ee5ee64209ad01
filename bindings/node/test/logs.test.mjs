// Log lines of real loggers, written for requests of a real server.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import fastify from 'fastify'
import pino from 'pino'
import winston from 'winston'

import { Propagator, extract, fastify as onwardFastify, instrument, propagate, run, uninstrument } from '../index.mjs'
import { pinoMixin, winstonFormat } from '../logs.mjs'
import { freePort, listen } from './servers.mjs'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const REQUEST = extract({ 'x-request-id': '7f6c', traceparent: `00-${TRACE}-00f067aa0ba902b7-01` })

/** A stream, and the lines in it as objects. */
function lines() {
  const found = []
  const stream = new Writable({
    write(chunk, _, done) {
      found.push(...chunk.toString().trim().split('\n').map((line) => JSON.parse(line)))
      done()
    }
  })
  return { found, stream }
}

/** Two loggers, as the page has them: what they write, and how they write it. */
const LOGGERS = {
  pino() {
    const { found, stream } = lines()
    const log = pino({ base: null, timestamp: false, mixin: pinoMixin }, stream)
    return { found, info: (message, own = {}) => log.info(own, message) }
  },
  winston() {
    const { found, stream } = lines()
    const { format, transports } = winston
    const log = winston.createLogger({
      format: format.combine(winstonFormat(), format.json()),
      transports: [new transports.Stream({ stream })]
    })
    return { found, info: (message, own = {}) => log.info(message, own) }
  }
}

const idsOf = (found) => found.map(({ request_id: request, trace_id: trace }) => [request, trace])

for (const [name, make] of Object.entries(LOGGERS)) {
  test(`${name}: a line has the ids of its request and trace, and outside of a request no such fields`, () => {
    const { found, info } = make()
    info('ready')
    run(REQUEST, info, 'no reviews today')
    assert.deepEqual(idsOf(found), [[undefined, undefined], ['7f6c', TRACE]])
    assert.deepEqual(found.map((line) => Object.hasOwn(line, 'request_id')), [false, true])
  })

  test(`${name}: an id that is not there makes no field`, () => {
    const { found, info } = make()
    run(extract({ 'x-request-id': 'a' }), info, '1')
    run(extract({ b3: '80f198ee56343ba8-e457b5a2e4d86bd1-1' }), info, '2')
    run(new Propagator({ presets: ['w3c'] }).extract({ traceparent: 'malformed' }), info, '3')
    assert.deepEqual(idsOf(found), [['a', undefined], [undefined, '80f198ee56343ba8'], [undefined, undefined]])
    assert.deepEqual(found.map((line) => Object.hasOwn(line, 'trace_id')), [false, true, false])
  })

  test(`${name}: what the caller gives stays`, () => {
    const { found, info } = make()
    run(REQUEST, info, 'own', { request_id: 'own' })
    assert.deepEqual(idsOf(found), [['own', TRACE]])
  })

  test(`${name}: lines of requests at the same time have their own ids`, async (t) => {
    const { found, info } = make()
    const port = await listen(t, http.createServer(propagate(async (request, response) => {
      info(request.url)
      await setImmediate()
      info(request.url)
      response.end()
    })))
    const ask = (id) => fetch(`http://127.0.0.1:${port}/${id}`, { headers: { 'x-request-id': id } }).then((answer) => answer.text())
    await Promise.all(Array.from({ length: 20 }, (_, i) => ask(`r${i}`)))
    assert.equal(found.length, 40)
    for (const { message, msg, request_id: id } of found) assert.equal(`/${id}`, message ?? msg)
  })
}

test('all lines of Fastify itself have the ids where servers are instrumented, else those after its hook', async (t) => {
  const messages = async (app, { found }) => {
    app.get('/', () => '')
    await app.listen({ port: 0, host: '127.0.0.1' })
    await (await fetch(app.listeningOrigin, { headers: { 'x-request-id': '7f6c' } })).text()
    await app.close()
    return found.filter(({ reqId }) => reqId !== undefined).map((line) => [line.msg, line.request_id])
  }
  const [before, after] = [lines(), lines()]
  const app = ({ stream }) => fastify({ logger: { mixin: pinoMixin, stream } })
  const hooked = app(before)
  await hooked.register(onwardFastify)
  assert.deepEqual(await messages(hooked, before), [['incoming request', undefined], ['request completed', '7f6c']])
  instrument({ servers: true })
  t.after(uninstrument)
  assert.deepEqual(await messages(app(after), after), [['incoming request', '7f6c'], ['request completed', '7f6c']])
})

const PAGE = readFileSync(new URL('../../../docs/node/logs.md', import.meta.url), 'utf8')
const PROGRAMS = [...PAGE.matchAll(/```js\n([\s\S]*?)```\n(?:\n```text\n([\s\S]*?)```)?/g)].map(([, code, shown]) => ({ code, shown }))

/** A folder with a program of the page in it, and the packages that it imports. */
function install(t, file, code) {
  const folder = mkdtempSync(join(tmpdir(), 'onward-logs-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'node_modules'))
  const root = fileURLToPath(new URL('..', import.meta.url))
  symlinkSync(root, join(folder, 'node_modules', 'onward'), 'junction')
  for (const name of ['pino', 'winston', '@types']) symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name), 'junction')
  writeFileSync(join(folder, file), code)
  return folder
}

/** A line without what is different each time. */
function lasting(line) {
  const { time, pid, hostname, ...rest } = JSON.parse(line)
  return rest
}

test('the page has a program for each logger, and one about ids', () => {
  assert.deepEqual(PROGRAMS.map(({ shown }) => shown !== undefined), [true, true, false])
})

for (const { code, shown } of PROGRAMS) {
  const [, library] = code.match(/from '(pino|winston|node:assert)/)
  test(`the page's program with ${library} does what the page says`, async (t) => {
    const port = await freePort()
    const cwd = install(t, 'app.mjs', code.replace('9080', String(port)))
    const child = spawn(process.execPath, ['app.mjs'], { cwd, stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(child, 'exit')
    if (shown === undefined) return assert.deepEqual(await ended, [0, null])
    t.after(() => child.kill() && ended)
    const written = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const first = await written.next()
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    await (await fetch(`http://127.0.0.1:${port}/`, { headers: { 'x-request-id': '7f6c', traceparent } })).text()
    const second = await written.next()
    assert.deepEqual([first.value, second.value].map(lasting), shown.trim().split('\n').map(lasting))
  })
}

test("the types of the page's programs fit those of pino and winston", (t) => {
  const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url))
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2023', '--types', 'node']
  const compile = (code) => spawnSync(process.execPath, [tsc, ...options, 'app.mts'], { cwd: install(t, 'app.mts', code), encoding: 'utf8' }).stdout
  for (const { code } of PROGRAMS) assert.equal(compile(code), '')
  assert.match(compile(PROGRAMS[0].code.replace('mixin: pinoMixin', 'mixin: pinoMixin()')), /error TS/)
})
