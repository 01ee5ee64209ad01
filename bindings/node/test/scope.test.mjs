// Where the scope goes by itself, and where something takes it: each row of the table in docs/node/scope.md is one test.

import assert from 'node:assert/strict'
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import { execFile, execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { EventEmitter, EventEmitterAsyncResource, once } from 'node:events'
import { createReadStream, readFile, readFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { PassThrough, Readable, Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate as immediate, setTimeout as delay } from 'node:timers/promises'
import test from 'node:test'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { gzip } from 'node:zlib'
import bodyParser from 'body-parser'
import busboy from 'busboy'
import expressFramework from 'express'
import genericPool from 'generic-pool'
import multer from 'multer'
import rawBody from 'raw-body'

import { carry, current, express, extract, propagate, run } from '../index.mjs'
import { listen } from './servers.mjs'

const ROOT = new URL('..', import.meta.url)
const SENT = { 'x-request-id': '7', cookie: 'a=b' }
const HERE = [['x-request-id', '7'], ['cookie', 'a=b']]
const REQUEST = extract(SENT)

const seen = () => [...current()]
const inside = (fn) => run(REQUEST, fn)

/** Gives a callback, and what is in scope when that is called. */
function told() {
  const { promise, resolve } = deferred()
  return [() => resolve(seen()), promise]
}

function deferred() {
  let resolve
  const promise = new Promise((fulfil) => (resolve = fulfil))
  return { promise, resolve }
}

/** Sends a request, and gives the answer, which is JSON. */
async function ask(port, { path = '/', headers = SENT, agent = false, body } = {}) {
  const request = http.request({ port, host: '127.0.0.1', path, headers, agent, method: body ? 'POST' : 'GET' })
  request.end(body)
  const [response] = await once(request, 'response')
  return JSON.parse((await response.toArray()).join(''))
}

const reply = (response, value) => response.end(JSON.stringify(value))

test('what is awaited has the scope by itself, also when the request is over', async () => {
  const over = deferred()
  const later = inside(async () => {
    await over.promise
    await immediate()
    return seen()
  })
  assert.deepEqual(await inside(async () => Promise.all([seen(), immediate().then(seen)])), [HERE, HERE])
  assert.deepEqual(seen(), [])
  over.resolve()
  assert.deepEqual(await later, HERE)
})

test('timers have the scope by itself', async () => {
  const waits = inside(() => [setTimeout, setImmediate].map((timer) => {
    const [callback, result] = told()
    timer(callback)
    return result
  }))
  const interval = inside(() => {
    const [callback, result] = told()
    const timer = setInterval(() => {
      clearInterval(timer)
      callback()
    }, 1)
    return result
  })
  assert.deepEqual(await Promise.all([...waits, interval, inside(() => delay(1).then(seen))]), [HERE, HERE, HERE, HERE])
})

test('queueMicrotask and process.nextTick have the scope by itself', async () => {
  const waits = inside(() => [queueMicrotask, process.nextTick].map((later) => {
    const [callback, result] = told()
    later(callback)
    return result
  }))
  assert.deepEqual(await Promise.all(waits), [HERE, HERE])
})

test('callbacks of Node have the scope by itself', async () => {
  const waits = inside(() => [
    (done) => readFile(new URL('package.json', ROOT), done),
    (done) => gzip('text', done),
    (done) => randomBytes(8, done),
    (done) => execFile(process.execPath, ['--version'], done)
  ].map((call) => {
    const [callback, result] = told()
    call(callback)
    return result
  }))
  assert.deepEqual(await Promise.all(waits), [HERE, HERE, HERE, HERE])
})

test('streams that the handler makes have the scope by itself', async () => {
  const results = []
  await inside(async () => {
    const note = () => results.push(seen())
    const through = new Transform({
      transform(chunk, _, done) {
        note()
        done(null, chunk)
      }
    })
    const into = new Writable({
      write(_chunk, _, done) {
        note()
        done()
      }
    })
    await pipeline(createReadStream(new URL('package.json', ROOT)).on('data', note), through, into)
    for await (const _ of createReadStream(new URL('package.json', ROOT))) note()
    for await (const _ of Readable.from(['a']).pipe(new PassThrough())) note()
  })
  assert.equal(results.length, 5)
  for (const result of results) assert.deepEqual(result, HERE)
})

test('what the request and the response emit is heard in the scope', async (t) => {
  const emitted = {}
  const closed = deferred()
  const port = await listen(t, http.createServer(propagate((request, response) => {
    for (const event of ['data', 'end', 'close']) request.on(event, () => (emitted[`request ${event}`] = seen()))
    response.on('finish', () => (emitted['response finish'] = seen()))
    response.on('close', () => {
      emitted['response close'] = seen()
      closed.resolve()
    })
    request.on('end', () => reply(response, []))
  })))
  await ask(port, { body: 'body' })
  await closed.promise
  const events = ['request data', 'request end', 'request close', 'response finish', 'response close']
  assert.deepEqual(emitted, Object.fromEntries(events.map((event) => [event, HERE])))
})

test('a listener hears an emitter in the scope of whoever emits, and needs carry', () => {
  const emitter = new EventEmitter()
  const results = []
  inside(() => emitter.on('event', () => results.push(seen())).on('event', carry(() => results.push(seen()))))
  emitter.emit('event')
  assert.deepEqual(results, [[], HERE])
})

test('EventEmitterAsyncResource is heard in the scope in which it was made', () => {
  const results = []
  const emitter = inside(() => new EventEmitterAsyncResource({ name: 'job' })).on('event', () => results.push(seen()))
  emitter.emit('event')
  emitter.emitDestroy()
  assert.deepEqual(results, [HERE])
})

test('AsyncResource.bind and AsyncLocalStorage.bind do what carry does', () => {
  const bound = inside(() => [AsyncResource.bind(seen), AsyncLocalStorage.bind(seen), carry(seen), seen])
  assert.deepEqual(bound.map((fn) => fn()), [HERE, HERE, HERE, []])
  const snapshot = inside(() => AsyncLocalStorage.snapshot())
  assert.deepEqual(snapshot(seen), HERE)
})

test('a listener of an AbortSignal or of another EventTarget needs carry', () => {
  const results = []
  const controller = new AbortController()
  inside(() => {
    controller.signal.addEventListener('abort', () => results.push(seen()))
    controller.signal.addEventListener('abort', carry(() => results.push(seen())))
  })
  controller.abort()
  assert.deepEqual(results, [[], HERE])
})

test('an iterator that somebody else asks runs in the scope of who asks, and takes current', async () => {
  async function* alone() {
    await immediate()
    yield seen()
  }
  async function* taken(headers) {
    yield await run(headers, async () => {
      await immediate()
      return seen()
    })
  }
  const iterators = inside(() => [alone(), taken(current())])
  const values = await Promise.all(iterators.map((iterator) => iterator.next()))
  assert.deepEqual(values.map(({ value }) => value), [[], HERE])
})

test('a worker that waits at a queue needs carry', async () => {
  const queue = new EventEmitter()
  const results = []
  const worker = (async () => {
    while (results.length < 2) results.push((await once(queue, 'job'))[0]())
  })()
  inside(() => queue.emit('job', seen))
  await immediate()
  inside(() => queue.emit('job', carry(seen)))
  await worker
  assert.deepEqual(results, [[], HERE])
})

test('who awaits a pool keeps the scope, and what the pool keeps gets none', async () => {
  const made = []
  const factory = {
    create: async () => {
      const connection = new EventEmitter()
      connection.query = (callback) => connection.once('row', callback)
      made.push(connection)
      return connection
    },
    destroy: async () => {}
  }
  const pool = genericPool.createPool(factory, { max: 1 })
  const first = await pool.acquire()
  const other = extract({ 'x-request-id': '8' })
  const waiting = [REQUEST, other].map((headers) => run(headers, () => pool.use(async (connection) => [connection === first, seen()])))
  await pool.release(first)
  assert.deepEqual(await Promise.all(waiting), [[true, HERE], [true, [['x-request-id', '8']]]])
  const results = []
  inside(() => first.query(() => results.push(seen())))
  inside(() => first.query(carry(() => results.push(seen()))))
  first.emit('row')
  assert.deepEqual(results, [[], HERE])
  assert.equal(made.length, 1)
  await pool.drain()
  await pool.clear()
})

test('a client on a connection that is kept answers in the scope of its own request', async (t) => {
  const port = await listen(t, http.createServer((request, response) => response.end('[]')))
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const call = (id) => run(extract({ 'x-request-id': id }), () => new Promise((resolve, reject) => {
    http.get({ port, host: '127.0.0.1', agent }, (response) => {
      const [before, connection] = [seen(), response.socket.localPort]
      response.resume().on('end', () => resolve([before, seen(), connection]))
    }).on('error', reject)
  }))
  const answers = await Promise.all(['a', 'b', 'c'].map(call))
  const own = (id) => [['x-request-id', id]]
  assert.deepEqual(answers.map(([before, after]) => [before, after]), ['a', 'b', 'c'].map((id) => [own(id), own(id)]))
  assert.equal(new Set(answers.map(([, , connection]) => connection)).size, 1)
})

test('a worker thread takes the lines', async () => {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads')
    const { current, run } = require(${JSON.stringify(new URL('index.js', ROOT).pathname)})
    parentPort.postMessage([[...current()], run(workerData.lines, () => [...current()])])`
  const worker = inside(() => new Worker(code, { eval: true, workerData: { lines: [...current()] } }))
  const [message] = await once(worker, 'message')
  assert.deepEqual(message, [[], HERE])
  await worker.terminate()
})

test('another process takes the lines', () => {
  const code = `
    const { current, run } = require(${JSON.stringify(new URL('index.js', ROOT).pathname)})
    console.log(JSON.stringify([[...current()], run(JSON.parse(process.env.LINES), () => [...current()])]))`
  const env = { ...process.env, LINES: inside(() => JSON.stringify([...current()])) }
  const output = inside(() => execFileSync(process.execPath, ['-e', code], { env, encoding: 'utf8' }))
  assert.deepEqual(JSON.parse(output), [[], HERE])
})

test('body-parser and raw-body keep the scope', async (t) => {
  const answer = (_, response) => reply(response, seen())
  const app = expressFramework()
  app.use(express())
  app.post('/json', bodyParser.json(), answer)
  app.post('/text', bodyParser.text({ type: () => true }), answer)
  app.post('/raw', (request, response) => rawBody(request, (_error, buffer) => reply(response, [buffer.length, ...seen()])))
  const port = await listen(t, http.createServer(app))
  const headers = { ...SENT, 'content-type': 'application/json', 'transfer-encoding': 'chunked' }
  const answers = ['/json', '/text', '/raw'].map((path) => ask(port, { path, headers, body: '{"a":1}' }))
  assert.deepEqual(await Promise.all(answers), [HERE, HERE, [7, ...HERE]])
})

test('multer and busboy keep the scope', async (t) => {
  const form = new FormData()
  form.append('file', new Blob(['x'.repeat(200_000)]), 'a.txt')
  form.append('to', 'ratings')
  const response = new Response(form)
  const [type, body] = [response.headers.get('content-type'), Buffer.from(await response.arrayBuffer())]
  const app = expressFramework()
  app.use(express())
  app.post('/multer', multer().single('file'), (request, answer) => reply(answer, [request.file.size, ...seen()]))
  app.post('/busboy', (request, answer) => {
    const results = []
    request.pipe(busboy({ headers: request.headers }))
      .on('file', (_, file) => file.on('data', () => results.push(seen())).resume())
      .on('field', () => results.push(seen()))
      .on('close', () => reply(answer, [results.length >= 2, ...results.flat().slice(0, 2), ...seen()]))
  })
  const port = await listen(t, http.createServer(app))
  const headers = { ...SENT, 'content-type': type }
  assert.deepEqual(await ask(port, { path: '/multer', headers, body }), [200_000, ...HERE])
  assert.deepEqual(await ask(port, { path: '/busboy', headers, body }), [true, ...HERE, ...HERE])
})

test('an aborted request is noticed in its scope, and leaves nothing behind', async (t) => {
  const [started, failed, closed] = [deferred(), deferred(), deferred()]
  const port = await listen(t, http.createServer(propagate((request, response) => {
    if (request.url === '/next') return reply(response, seen())
    request.on('error', ({ code }) => failed.resolve([code, ...seen()]))
    response.on('close', () => closed.resolve([response.writableFinished, ...seen()]))
    request.resume()
    started.resolve()
  })))
  const socket = net.connect(port, '127.0.0.1')
  socket.write('POST / HTTP/1.1\r\nhost: a\r\nx-request-id: 7\r\ncookie: a=b\r\ncontent-length: 9\r\n\r\n1')
  await started.promise
  socket.destroy()
  assert.deepEqual(await Promise.all([failed.promise, closed.promise]), [['ECONNRESET', ...HERE], [false, ...HERE]])
  assert.deepEqual(seen(), [])
  assert.deepEqual(await ask(port, { path: '/next', headers: {} }), [])
})

test('an error leaves nothing behind', async () => {
  const failing = (request, fail) => propagate(() => fail())(request)
  const request = { headers: {}, rawHeaders: ['x-request-id', '7', 'cookie', 'a=b'] }
  assert.throws(() => failing(request, () => assert.fail('thrown')), { message: 'thrown' })
  assert.deepEqual(seen(), [])
  const rejected = failing(request, async () => {
    await immediate()
    throw new Error('rejected')
  })
  await assert.rejects(rejected, { message: 'rejected' })
  assert.deepEqual(seen(), [])
})

test('a rejection that nobody handles is reported in the scope of its promise', async () => {
  const code = `
    const { current, run } = require(${JSON.stringify(new URL('index.js', ROOT).pathname)})
    process.on('unhandledRejection', ({ message }) => console.log(JSON.stringify([message, ...current()])))
    run({ 'x-request-id': '7' }, () => setImmediate(async () => { throw new Error('nobody') }))`
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', code])
  assert.deepEqual(JSON.parse(stdout), ['nobody', ['x-request-id', '7']])
})

test('the next request of a connection has a scope of its own', async (t) => {
  const sockets = new Set()
  const port = await listen(t, http.createServer(propagate((request, response) => {
    sockets.add(request.socket)
    request.resume().on('end', () => reply(response, seen()))
  })))
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const answers = []
  for (const headers of [SENT, {}, { 'x-request-id': '7' }, {}]) answers.push(await ask(port, { agent, headers }))
  assert.deepEqual(answers, [HERE, [], [['x-request-id', '7']], []])
  assert.equal(sockets.size, 1)
})

test('what belongs to a connection has no scope', async (t) => {
  const results = []
  const server = http.createServer(propagate((request, response) => {
    // Node emits it when the connection has been idle, long after the request.
    response.on('finish', () => request.socket.once('end', () => results.push(seen())))
    reply(response, seen())
  }))
  const port = await listen(t, server)
  const agent = new http.Agent({ keepAlive: true })
  assert.deepEqual(await ask(port, { agent }), HERE)
  const connections = promisify(server.getConnections.bind(server))
  agent.destroy()
  while ((await connections()) > 0) await immediate()
  assert.deepEqual(results, [[]])
})

const COMPARING = 'each test has its row in the table, and each row its test'

test(COMPARING, () => {
  const code = readFileSync(new URL(import.meta.url), 'utf8')
  const tests = [...code.matchAll(/^test\('([^']+)'/gm)].map(([, name]) => name)
  const page = readFileSync(new URL('../../docs/node/scope.md', ROOT), 'utf8')
  const rows = page.split('\n').filter((line) => line.startsWith('| ')).slice(1)
  const named = rows.map((row) => row.slice(2, -2).split(' | ').at(-1))
  assert.ok(tests.length > 0)
  assert.deepEqual(named.sort(), tests.sort())
})
