// Programs without a line of Onward, under `--import onward/register` and `--require`, as processes of their own; and what
// instrumented servers do, and leave as it was.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import test, { after, before } from 'node:test'
import { fileURLToPath } from 'node:url'
import selfsigned from 'selfsigned'

import * as onward from '../index.mjs'
import { echo, freePort, listen, valuesOf } from './servers.mjs'

const PAGE = readFileSync(new URL('../../../docs/node/register.md', import.meta.url), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'onward-register-'))
const SENT = { 'x-request-id': 'a-1', cookie: 'session=b', 'x-other': 'stays' }

const BODY = `
http.createServer(async (request, response) => {
  const answer = await fetch(process.env.RATINGS)
  response.end(await answer.text())
}).listen(0, '127.0.0.1', function () { console.log(this.address().port) })
`
const APPS = {
  'app.mjs': `import http from 'node:http'\n${BODY}`,
  'app.cjs': `const http = require('node:http')\n${BODY}`,
  'get.mjs': `import { createServer, get } from 'node:http'
createServer((request, response) => get(process.env.RATINGS, (answer) => answer.pipe(response)))
  .listen(0, '127.0.0.1', function () { console.log(this.address().port) })`,
  'thread.mjs': `import { Worker, isMainThread } from 'node:worker_threads'
if (isMainThread) new Worker(new URL(import.meta.url))
else await import('./app.mjs')`,
  'explicit.mjs': `import http from 'node:http'
import * as onward from 'onward'
onward.setDefault(new onward.Propagator({ presets: ['w3c'], add: ['x-other'] }))
onward.instrument()
http.createServer(onward.propagate((request, response) => {
  fetch(process.env.RATINGS).then((answer) => answer.text()).then((text) => response.end(text))
})).listen(0, '127.0.0.1', function () { console.log(this.address().port) })`
}

before(() => {
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(fileURLToPath(new URL('..', import.meta.url)), join(folder, 'node_modules', 'onward'), 'junction')
  for (const [name, code] of Object.entries(APPS)) writeFileSync(join(folder, name), code)
})
after(() => rmSync(folder, { recursive: true, force: true }))

const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(ONWARD|NODE)_/.test(name)))

function start(t, args, env = {}) {
  const child = spawn(process.execPath, args, { cwd: folder, env: { ...environment, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'close')
  t.after(() => child.kill() && ended)
  return { child, ended, stderr: text(child.stderr) }
}

/** What arrives at ratings of a request to a program. */
async function arrived(t, args, env) {
  const ratings = await listen(t, echo())
  const { child, stderr } = start(t, args, { RATINGS: `http://127.0.0.1:${ratings}/`, ...env })
  const line = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), stderr])
  assert.ok(Array.isArray(line), line)
  const lines = await (await fetch(`http://127.0.0.1:${Number(line[0])}/`, { headers: SENT })).json()
  return Object.keys(SENT).map((name) => valuesOf(lines, name).join())
}

const FORWARDED = ['a-1', 'session=b', '']

for (const flag of ['--import', '--require']) {
  for (const app of ['app.mjs', 'app.cjs', 'get.mjs', 'thread.mjs']) {
    test(`${app} under ${flag} onward/register forwards`, async (t) => {
      assert.deepEqual(await arrived(t, [flag, 'onward/register', app]), FORWARDED)
    })
  }
}

test('without it the same programs forward nothing', async (t) => {
  for (const app of ['app.mjs', 'app.cjs', 'get.mjs', 'thread.mjs']) assert.deepEqual(await arrived(t, [app]), ['', '', ''], app)
})

test('NODE_OPTIONS does as well, and the environment says what is forwarded', async (t) => {
  const env = { NODE_OPTIONS: '--import onward/register', ONWARD_HEADERS: '+x-other,-cookie' }
  assert.deepEqual(await arrived(t, ['app.mjs'], env), ['a-1', '', 'stays'])
})

test('a program with lines of its own decides for itself, and forwards each header once', async (t) => {
  assert.deepEqual(await arrived(t, ['--import', 'onward/register', 'explicit.mjs']), ['a-1', '', 'stays'])
})

test('a mistake in ONWARD_* stops the program at start with one line', async (t) => {
  const mistakes = {
    'onward: ONWARD_HEADERS: `host` names the destination of one request, so it must not be forwarded; take it out of the policy\n': { ONWARD_HEADERS: '+host' },
    'onward: ONWARD_TRACE_DESTINATIONS: `here` is not a choice; write `all` or `mesh`\n': { ONWARD_TRACE_DESTINATIONS: 'here' },
    'onward: ONWARD_DEBUG: `explian` is not a choice; write `explain`\n': { ONWARD_DEBUG: 'explian' }
  }
  for (const [message, env] of Object.entries(mistakes)) {
    for (const flag of ['--import', '--require']) {
      const { child, ended, stderr } = start(t, [flag, 'onward/register', 'app.mjs'], env)
      assert.equal(await text(child.stdout), '')
      assert.deepEqual(await ended, [2, null])
      assert.equal(await stderr, message)
    }
  }
})

test('it says nothing unless asked, and then what the page shows', async (t) => {
  writeFileSync(join(folder, 'empty.mjs'), '')
  const args = ['--import', 'onward/register', 'empty.mjs']
  assert.equal(await start(t, args).stderr, '')
  const [, command, shown] = PAGE.match(/```text\n\$ (.*)\n([\s\S]*?)```/)
  assert.equal(command, 'ONWARD_DEBUG=explain ONWARD_PRESETS=w3c ONWARD_HEADERS=+x-tenant-id node --import onward/register app.mjs')
  const env = { ONWARD_DEBUG: 'explain', ONWARD_PRESETS: 'w3c', ONWARD_HEADERS: '+x-tenant-id' }
  const { child, stderr } = start(t, args, env)
  const told = (await stderr).replaceAll(`[${child.pid}]`, '[4242]').replace(/\S+ --import/, 'node --import').replace(/\S+empty\.mjs/, 'app.mjs')
  assert.equal(told, shown)
})

test("the page's program forwards under the page's command, and not without", async (t) => {
  const [, program] = PAGE.match(/```js\n([\s\S]*?)```/)
  const [, command] = PAGE.match(/```sh\nnode (.*)\n/)
  const ratings = await listen(t, echo())
  for (const [args, expected] of [[command.split(' '), FORWARDED], [['app.mjs'], ['', '', '']]]) {
    const port = await freePort()
    const local = program.replace('http://ratings:9080', `http://127.0.0.1:${ratings}`).replace('9080', String(port))
    writeFileSync(join(folder, 'reviews.mjs'), local)
    const { stderr } = start(t, args.with(-1, 'reviews.mjs'))
    const lines = await (await patiently(`http://127.0.0.1:${port}/`, stderr)).json()
    assert.deepEqual(Object.keys(SENT).map((name) => valuesOf(lines, name).join()), expected)
  }
})

/** Asks until somebody listens. */
async function patiently(url, stderr) {
  let output
  stderr.then((all) => (output = all))
  for (;;) {
    assert.equal(output, undefined)
    const answer = await fetch(url, { headers: SENT }).catch(({ cause }) => assert.equal(cause.code, 'ECONNREFUSED'))
    if (answer !== undefined) return answer
  }
}

// From here on, servers in this process.

const seen = () => onward.current().get('x-request-id')

function instrumented(t) {
  onward.instrument({ servers: true })
  t.after(onward.uninstrument)
}

test('every server of Node hands over in the scope: HTTP, HTTPS, HTTP/2 as requests and as streams, and HTTP/1 beside it', async (t) => {
  instrumented(t)
  const { private: key, cert } = await selfsigned.generate([{ name: 'commonName', value: 'localhost' }], { keySize: 2048 })
  const handler = (request, response) => request.resume().on('end', () => response.end(seen()))
  const overHttp1 = async (module, port) => {
    const [response] = await once(module.get({ port, host: '127.0.0.1', headers: SENT, agent: false, rejectUnauthorized: false }), 'response')
    return text(response)
  }
  const overHttp2 = async (scheme, port) => {
    const session = http2.connect(`${scheme}://127.0.0.1:${port}`, { rejectUnauthorized: false })
    const answer = await text(session.request({ ':path': '/', ...SENT }))
    session.destroy()
    return answer
  }
  const streams = http2.createServer().on('stream', (stream) => {
    stream.resume().on('end', () => {
      stream.respond()
      stream.end(seen())
    })
  })
  const mixed = await listen(t, http2.createSecureServer({ key, cert, allowHTTP1: true }, handler))
  assert.deepEqual(
    [
      await overHttp1(http, await listen(t, http.createServer(handler))),
      await overHttp1(https, await listen(t, https.createServer({ key, cert }, handler))),
      await overHttp2('http', await listen(t, http2.createServer(handler))),
      await overHttp2('http', await listen(t, streams)),
      await overHttp2('https', mixed),
      await overHttp1(https, mixed)
    ],
    Array(6).fill('a-1')
  )
})

test('Expect and Upgrade are handed over in the scope, and the socket of an upgrade stays out of it', async (t) => {
  instrumented(t)
  const server = http.createServer()
  server.on('checkContinue', (request, response) => {
    response.writeContinue()
    request.resume().on('end', () => response.end(seen()))
  })
  server.on('upgrade', (request, socket) => {
    socket.once('data', () => socket.end(`|${seen()}`))
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nupgrade: test\r\nconnection: upgrade\r\n\r\n${seen()}`)
  })
  const port = await listen(t, server)
  const expecting = http.request({ port, host: '127.0.0.1', method: 'POST', agent: false, headers: { ...SENT, expect: '100-continue' } })
  expecting.on('continue', () => expecting.end('body'))
  expecting.flushHeaders()
  const [answer] = await once(expecting, 'response')
  assert.equal(await text(answer), 'a-1')
  const headers = { ...SENT, connection: 'upgrade', upgrade: 'test' }
  const [, socket, head] = await once(http.get({ port, host: '127.0.0.1', agent: false, headers }), 'upgrade')
  socket.write('hello')
  assert.equal(head.toString() + (await text(socket)), 'a-1|undefined')
})

test('requests of one connection have their own scope, or an empty one', async (t) => {
  instrumented(t)
  const port = await listen(t, http.createServer((request, response) => {
    setImmediate(() => response.end(String(seen())))
  }))
  const socket = net.connect(port, '127.0.0.1')
  const ids = ['a', undefined, 'b', undefined]
  const heads = ids.map((id, i) => `GET / HTTP/1.1\r\nhost: a\r\n${id ? `x-request-id: ${id}\r\n` : ''}${i === 3 ? 'connection: close\r\n' : ''}\r\n`)
  // All at once: Node hands the later ones over while the first is answered.
  socket.write(heads.join(''))
  const bodies = [...(await text(socket)).matchAll(/\r\n\r\n(a|b|undefined)/g)].map(([, body]) => body)
  assert.deepEqual(bodies, ['a', 'undefined', 'b', 'undefined'])
})

test('emitting is what it was: its result, this, arguments, errors, once, and who listens', (t) => {
  const before = http.createServer()
  instrumented(t)
  for (const server of [before, http.createServer()]) {
    const [request, response] = [new http.IncomingMessage(new net.Socket()), {}]
    assert.equal(server.emit('request', request, response), false)
    const heard = []
    server.once('request', function (...args) {
      heard.push([this === server, args.length === 2 && args[0] === request && args[1] === response])
    })
    server.on('request', () => {
      throw new Error('listener')
    })
    assert.throws(() => server.emit('request', request, response), { message: 'listener' })
    assert.deepEqual(heard, [[true, true]])
    assert.equal(server.listenerCount('request'), 1)
    assert.throws(() => server.emit('error', new Error('nobody listens')), { message: 'nobody listens' })
    assert.deepEqual(server.eventNames(), ['connection', 'listening', 'request'].filter((name) => server.listenerCount(name) > 0))
  }
  assert.equal(onward.current().size, 0)
})

test('what is emitted as a request and is none reaches its listeners', async (t) => {
  instrumented(t)
  const warnings = []
  const warn = (warning) => warnings.push(warning)
  process.on('warning', warn)
  t.after(() => process.off('warning', warn))
  const heard = []
  const server = http.createServer((...args) => heard.push(args))
  server.emit('request')
  server.emit('request', { url: '/' }, null)
  server.emit('stream')
  assert.deepEqual(heard, [[], [{ url: '/' }, null]])
  await new Promise(setImmediate)
  assert.deepEqual(warnings, [])
})

test('taken off, every server is as it was, also beside a tracer that wraps it before or after', async (t) => {
  const prototypes = [http.Server, https.Server, http2.createServer().constructor, http2.createSecureServer().constructor].map((each) => each.prototype)
  const own = () => prototypes.map((prototype) => Object.hasOwn(prototype, 'emit'))
  onward.instrument({ servers: true })
  onward.instrument({ servers: true })
  assert.deepEqual(own(), [true, true, true, true])
  onward.uninstrument()
  assert.deepEqual(own(), [false, false, false, false])
  assert.equal(http.Server.prototype.emit, EventEmitter.prototype.emit)

  const tracer = () => {
    const { emit } = http.Server.prototype
    http.Server.prototype.emit = function (...args) {
      spans += args[0] === 'request' ? 1 : 0
      return emit.apply(this, args)
    }
    return http.Server.prototype.emit
  }
  t.after(() => delete http.Server.prototype.emit)
  let spans = 0
  const port = await listen(t, http.createServer((request, response) => response.end(String(seen()))))
  const ask = async () => (await fetch(`http://127.0.0.1:${port}/`, { headers: SENT })).text()
  const first = tracer()
  onward.instrument({ servers: true })
  assert.deepEqual([await ask(), spans], ['a-1', 1])
  onward.uninstrument()
  assert.equal(http.Server.prototype.emit, first)
  onward.instrument({ servers: true })
  const second = tracer()
  assert.deepEqual([await ask(), spans], ['a-1', 3])
  onward.uninstrument()
  assert.equal(http.Server.prototype.emit, second)
  assert.deepEqual([await ask(), spans], ['undefined', 5])
  onward.instrument({ servers: true })
  // The wrapper that stayed under the tracer's does nothing: a request is read once.
  const { prototype } = onward.Propagator
  const { extract } = prototype
  t.after(() => { prototype.extract = extract })
  let reads = 0
  prototype.extract = function (carrier) {
    reads += 1
    return extract.call(this, carrier)
  }
  assert.deepEqual([await ask(), spans, reads], ['a-1', 7, 1])
  onward.uninstrument()
})
