// gRPC in front of gRPC, real servers and clients on loopback: what came into one arrives at the other.

import assert from 'node:assert/strict'
import dns from 'node:dns'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import grpc from '@grpc/grpc-js'
import selfsigned from 'selfsigned'

import { Propagator, carry, current, getForwardHeaders, propagate, run } from '../index.mjs'
import { clientInterceptor, instrument, serverInterceptor, uninstrument } from '../grpc.mjs'
import { ECHO, connect, every, metadata, serve, unary } from './grpc_servers.mjs'
import { echo, listen, valuesOf } from './servers.mjs'

// Sorted by name, as the echo answers. `grpc-trace-bin` are bytes in gRPC.
const TRACE = [
  ['grpc-trace-bin', [0, 0, 17, 221, 209, 157]],
  ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
  ['tracestate', 'rojo=00f067aa0ba902b7'],
  ['x-request-id', '7b0ac7e5']
]
const EVERYTHING = [['authorization', 'Bearer eyJhbGciOi'], ['cookie', 'session=a b'], ['end-user', 'jason'], ...TRACE]
const INBOUND = metadata([...EVERYTHING, ['x-unknown', 'stays']])
// The same as HTTP has it.
const HTTP = { ...Object.fromEntries(EVERYTHING), 'grpc-trace-bin': 'AAAR3dGd' }

/** A server's methods that call the echo wherever their code runs: at once and later, and for what a stream emits. */
function front(client) {
  const ask = () => unary(client, 'hello')
  return {
    unary: (_, answer) => ask().then((text) => answer(null, text), answer),
    async down(call) {
      call.write(await ask())
      await setImmediate()
      call.write(await ask())
      call.end()
    },
    up(call, answer) {
      const asked = []
      call.on('data', () => asked.push(ask()))
      call.on('end', () => Promise.all([...asked, ask()]).then((texts) => answer(null, texts.join('\n')), answer))
    },
    both(call) {
      const asked = []
      call.on('data', () => asked.push(ask()))
      call.on('end', async () => {
        for (const text of await Promise.all([...asked, ask()])) call.write(text)
        call.end()
      })
    }
  }
}

/** What the methods answer, each time they have asked. */
async function answers(client, inbound = INBOUND) {
  const answered = await every(client, inbound)
  const parsed = (texts) => texts.flatMap((text) => text.split('\n')).map((text) => JSON.parse(text))
  return Object.fromEntries(Object.entries(answered).map(([kind, texts]) => [kind, parsed(texts)]))
}

function each(lines) {
  const answer = [lines, ['hello']]
  return { unary: [answer], down: [answer, answer], up: [answer, answer, answer], both: [answer, answer, answer] }
}

const propagated = (methods) => Object.fromEntries(Object.entries(methods).map(([kind, method]) => [kind, propagate(method)]))

/** An instrumented grpc-js, until the test ends. */
function instrumented(t, options) {
  instrument(grpc, options)
  t.after(() => uninstrument(grpc))
}

function intercepted(t, target) {
  return connect(t, target, { interceptors: [clientInterceptor(target)] })
}

async function relay(t, { serverOptions = {}, around = (methods) => methods, explicit = true } = {}) {
  const target = `127.0.0.1:${await serve(t, ECHO)}`
  const client = explicit ? intercepted(t, target) : connect(t, target)
  return connect(t, `127.0.0.1:${await serve(t, around(front(client)), serverOptions)}`)
}

test('methods of every kind and their streams go on, under interceptors', async (t) => {
  const client = await relay(t, { serverOptions: { interceptors: [serverInterceptor()] } })
  assert.deepEqual(await answers(client), each(EVERYTHING))
})

test('methods of every kind and their streams go on, one by one under propagate', async (t) => {
  assert.deepEqual(await answers(await relay(t, { around: propagated })), each(EVERYTHING))
})

test('servers and clients without a line of their own, once grpc-js is instrumented', async (t) => {
  instrumented(t, { servers: true })
  assert.deepEqual(await answers(await relay(t, { explicit: false })), each(EVERYTHING))
})

test('without one of the two sides nothing goes on', async (t) => {
  const covered = { serverOptions: { interceptors: [serverInterceptor()] } }
  assert.deepEqual(await answers(await relay(t)), each([]))
  assert.deepEqual(await answers(await relay(t, { ...covered, explicit: false })), each([]))
  instrument(grpc, { servers: true })
  const client = await relay(t, { explicit: false })
  uninstrument(grpc)
  assert.deepEqual((await answers(client)).unary, [[[], ['hello']]])
  assert.deepEqual(await answers(await relay(t, { explicit: false })), each([]))
})

test('a client forwards by every kind of call', async (t) => {
  const target = `127.0.0.1:${await serve(t, ECHO)}`
  const expected = (lines) => {
    const one = [[lines, ['1']]]
    const two = [[lines, ['1', '2']]]
    return { unary: one, up: two, down: one, both: two }
  }
  const client = intercepted(t, target)
  assert.deepEqual(await run(HTTP, () => answers(client, metadata([]))), expected(EVERYTHING))
  assert.deepEqual(await answers(client, metadata([])), expected([]))
  instrumented(t)
  assert.deepEqual(await run(HTTP, () => answers(connect(t, target), metadata([]))), expected(EVERYTHING))
})

test('what is cancelled, drained or finished is in scope', async (t) => {
  let seen
  let cancelled
  const note = (event) => (seen[event] = current().get('x-request-id'))
  const methods = {
    down(call) {
      call.on('drain', () => {
        note('drain')
        call.end()
      })
      call.on('finish', () => note('finish'))
      while (call.write('x'.repeat(1000)));
    },
    both(call) {
      call.on('cancelled', () => {
        note('cancelled')
        cancelled()
      })
      call.on('error', () => {})
      call.on('data', () => call.write('go'))
    }
  }
  for (const [serverOptions, around] of [[{ interceptors: [serverInterceptor()] }, (given) => given], [{}, propagated]]) {
    const client = connect(t, `127.0.0.1:${await serve(t, around(methods), serverOptions)}`)
    seen = {}
    const ended = new Promise((resolve) => (cancelled = resolve))
    await client.down('hello', INBOUND).toArray()
    const call = client.both(INBOUND)
    call.on('error', () => {})
    call.write('1')
    await once(call, 'data')
    call.cancel()
    await ended
    assert.deepEqual(seen, { drain: '7b0ac7e5', finish: '7b0ac7e5', cancelled: '7b0ac7e5' })
  }
})

test('interceptors behind the one of Onward are in scope', async (t) => {
  const seen = []
  const behind = (method, call) => new grpc.ServerInterceptingCall(call, {
    start: (next) => next({
      onReceiveMetadata: (received, go) => {
        seen.push(current().get('x-request-id'))
        go(received)
      }
    })
  })
  const port = await serve(t, ECHO, { interceptors: [serverInterceptor(), behind] })
  await unary(connect(t, `127.0.0.1:${port}`), 'hello', INBOUND)
  assert.deepEqual(seen, ['7b0ac7e5'])
})

test('a policy of its own', async (t) => {
  const options = { propagator: new Propagator({ presets: ['w3c'] }) }
  for (const [serverOptions, around] of [
    [{ interceptors: [serverInterceptor(options)] }, (methods) => methods],
    [{}, (methods) => ({ unary: propagate(methods.unary, options) })]
  ]) {
    const answer = await unary(await relay(t, { serverOptions, around }), 'hello', INBOUND)
    assert.deepEqual(JSON.parse(answer)[0].map(([name]) => name), ['traceparent', 'tracestate', 'x-request-id'])
  }
})

test('what the call has already wins with its whole family, and so does what an interceptor has set', async (t) => {
  const target = `127.0.0.1:${await serve(t, ECHO)}`
  const own = (options, nextCall) => new grpc.InterceptingCall(nextCall(options), {
    start: (given, listener, next) => {
      given.set('tracestate', 'mine=1')
      next(given, listener)
    }
  })
  const expected = [...EVERYTHING.filter(([name]) => !name.startsWith('trace')), ['tracestate', 'mine=1']]
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const given = metadata([['tracestate', 'mine=1']])
  const lines = async (interceptors, ...call) => {
    return JSON.parse(await run(HTTP, () => unary(connect(t, target, { interceptors }), ...call)))[0]
  }
  assert.deepEqual(await lines([clientInterceptor(target)], 'hello', given), expected)
  assert.deepEqual(await lines([own, clientInterceptor(target)]), expected)
  instrumented(t)
  assert.deepEqual(await lines([own]), expected)
})

test('the metadata that a program calls with stay as they are', async (t) => {
  const client = intercepted(t, `127.0.0.1:${await serve(t, ECHO)}`)
  const given = metadata([['x-mine', '1']])
  await run(HTTP, () => unary(client, 'hello', given))
  assert.deepEqual(given.getMap(), { 'x-mine': '1' })
  assert.deepEqual(JSON.parse(await unary(client, 'hello', given))[0], [['x-mine', '1']])
})

test('only trace headers leave the mesh: by name, by one of several addresses, by the name of a single call', async (t) => {
  const { lookup } = dns.promises
  dns.promises.lookup = (host, ...rest) => lookup(host === 'api.example.com' || host === 'reviews.bookinfo' ? '127.0.0.1' : host, ...rest)
  t.after(() => (dns.promises.lookup = lookup))
  const port = await serve(t, ECHO)
  instrumented(t)
  const lines = async (client, options) => JSON.parse(await run(HTTP, () => unary(client, 'hello', metadata([]), options)))[0]
  for (const [target, expected] of [
    [`api.example.com:${port}`, TRACE],
    [`dns:///api.example.com:${port}`, TRACE],
    [`dns:reviews.bookinfo:${port}`, EVERYTHING],
    [`ipv4:127.0.0.1:${port},192.0.2.1:${port}`, TRACE],
    [`ipv4:127.0.0.1:${port},127.0.0.2:${port}`, EVERYTHING]
  ]) {
    assert.deepEqual(await lines(connect(t, target)), expected, target)
  }
  assert.deepEqual(await lines(connect(t, `127.0.0.1:${port}`), { host: 'api.example.com' }), TRACE)
  uninstrument(grpc)
  assert.deepEqual(await lines(intercepted(t, `api.example.com:${port}`)), TRACE)
  assert.deepEqual(await lines(intercepted(t, `127.0.0.1:${port}`), { host: 'api.example.com' }), TRACE)
})

test('a socket of this machine is in the mesh', async (t) => {
  const address = `unix:${join(tmpdir(), `onward-grpc-${process.pid}.sock`)}`
  await serve(t, ECHO, { address })
  const client = intercepted(t, address)
  assert.deepEqual(JSON.parse(await run(HTTP, () => unary(client)))[0], EVERYTHING)
})

test('a call with credentials, its own or its channel\'s, gets none of the user\'s', async (t) => {
  const { private: key, cert } = await selfsigned.generate([{ name: 'commonName', value: 'localhost' }])
  const pair = { private_key: Buffer.from(key), cert_chain: Buffer.from(cert) }
  const port = await serve(t, ECHO, { credentials: grpc.ServerCredentials.createSsl(null, [pair]) })
  const tls = grpc.credentials.createSsl(Buffer.from(cert), null, null, { checkServerIdentity: () => undefined })
  const credentials = grpc.credentials.createFromMetadataGenerator((_, done) => done(null, metadata([['authorization', 'service']])))
  const expected = [['authorization', 'service'], ['end-user', 'jason'], ...TRACE]
  const options = { 'grpc.ssl_target_name_override': 'localhost' }
  const lines = async (client, callOptions) => JSON.parse(await run(HTTP, () => unary(client, 'hello', metadata([]), callOptions)))[0]
  const target = `127.0.0.1:${port}`
  assert.deepEqual(await lines(connect(t, target, { ...options, interceptors: [clientInterceptor(target)] }, tls), { credentials }), expected)
  instrumented(t)
  assert.deepEqual(await lines(connect(t, target, options, tls), { credentials }), expected)
  assert.deepEqual(await lines(connect(t, target, options, grpc.credentials.combineChannelCredentials(tls, credentials))), expected)
  assert.deepEqual(await lines(connect(t, target, options, tls)), EVERYTHING)
})

test('what gRPC refuses stays behind, and the call goes on', async (t) => {
  const client = intercepted(t, `127.0.0.1:${await serve(t, ECHO)}`)
  const propagator = new Propagator({ add: ['x-odd!', 'x-data-bin'] })
  const inbound = { 'end-user': 'jas\xc3\xb6n', 'x-odd!': '1', 'x-data-bin': 'AQI,no base64,Aw==', 'grpc-trace-bin': 'A', 'x-request-id': '1' }
  const [lines] = JSON.parse(await run(propagator.extract(inbound), () => unary(client)))
  assert.deepEqual(lines, [['x-data-bin', [1, 2]], ['x-data-bin', [3]], ['x-request-id', '1']])
})

test('bytes of gRPC are base64 without padding in HTTP', async (t) => {
  const upstream = await listen(t, echo())
  const get = () => new Promise((resolve, reject) => {
    const request = http.get({ port: upstream, host: '127.0.0.1', headers: current().toObject() })
    request.on('response', (response) => resolve(text(response))).on('error', reject)
  })
  const methods = { unary: (_, answer) => get().then((body) => answer(null, body), answer) }
  const client = connect(t, `127.0.0.1:${await serve(t, methods, { interceptors: [serverInterceptor()] })}`)
  const lines = JSON.parse(await unary(client, 'hello', metadata([['grpc-trace-bin', [0, 0, 17, 221]]])))
  assert.deepEqual(valuesOf(lines, 'grpc-trace-bin'), ['AAAR3Q'])
})

test('a call and its metadata are carriers, and metadata can be written to', () => {
  const expected = { ...HTTP, jwt: 'a' }
  for (const name of ['authorization', 'cookie', 'end-user']) delete expected[name]
  class Call {
    metadata = metadata([...TRACE, ['jwt', 'a'], ['x-unknown', 'stays']])
    request = { headers: { jwt: 'of the message' } }
  }
  const call = new Call()
  assert.deepEqual(getForwardHeaders(call), expected)
  assert.deepEqual(getForwardHeaders(call.metadata), expected)
  const written = run(HTTP, () => current().inject(metadata([['tracestate', 'mine=1']]), 'api.example.com'))
  assert.deepEqual(written.toJSON(), {
    'tracestate': ['mine=1'],
    'x-request-id': ['7b0ac7e5'],
    'grpc-trace-bin': [Buffer.from([0, 0, 17, 221, 209, 157])]
  })
})

/** How many of 500 calls, many at once on one connection and every tenth of them failing, went on with what is not theirs. */
async function mixedUp(t, around) {
  const client = intercepted(t, `127.0.0.1:${await serve(t, ECHO)}`)
  const method = async ({ request }) => {
    if (Math.random() < 0.5) await setImmediate()
    if (request === 'fail') throw new Error('forced by a test')
    return around(() => unary(client))
  }
  const methods = { unary: (call, answer) => method(call).then((text) => answer(null, text), answer) }
  const outer = connect(t, `127.0.0.1:${await serve(t, methods, { interceptors: [serverInterceptor()] })}`)
  let wrong = 0
  const one = async (i) => {
    const id = `request-${i}`
    const lines = i % 3 === 0 ? [['x-request-id', id]] : [['jwt', id], ['x-request-id', id]]
    if (i % 10 === 0) return assert.rejects(unary(outer, 'fail', metadata(lines)), /forced by a test/)
    const [arrived] = JSON.parse(await unary(outer, 'hello', metadata(lines)))
    if (JSON.stringify(arrived) !== JSON.stringify(lines)) wrong++
  }
  for (let i = 0; i < 500; i += 25) await Promise.all(Array.from({ length: 25 }, (_, j) => one(i + j)))
  return wrong
}

test('no call has the headers of another', async (t) => {
  assert.equal(await mixedUp(t, (call) => call()), 0)
})

test('a server that mixes them up is seen', async (t) => {
  let first
  assert.ok(await mixedUp(t, (call) => (first ??= carry(call))()) > 400)
})

test('instrumenting twice changes nothing; what wraps it keeps working when it ends', async (t) => {
  const { createCall } = grpc.Channel.prototype
  t.after(() => (grpc.Channel.prototype.createCall = createCall))
  instrument(grpc)
  const wrapper = grpc.Channel.prototype.createCall
  instrument(grpc)
  assert.equal(grpc.Channel.prototype.createCall, wrapper)
  grpc.Channel.prototype.createCall = function (...args) {
    return wrapper.apply(this, args)
  }
  uninstrument(grpc)
  uninstrument(grpc)
  const client = connect(t, `127.0.0.1:${await serve(t, ECHO)}`)
  assert.deepEqual(JSON.parse(await run(HTTP, () => unary(client)))[0], [])
})

test('neither onward nor onward/grpc loads grpc-js', () => {
  const script = 'require("onward"); require("onward/grpc"); console.log(Object.keys(require.cache).filter((file) => file.includes("grpc-js")).length)'
  const output = execFileSync(process.execPath, ['-e', script], { cwd: fileURLToPath(new URL('..', import.meta.url)), encoding: 'utf8' })
  assert.equal(output, '0\n')
})
