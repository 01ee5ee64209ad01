// Clients of gRPC: where what goes, and what the caller has said.

import assert from 'node:assert/strict'
import dns from 'node:dns'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import grpc from '@grpc/grpc-js'
import selfsigned from 'selfsigned'

import { Propagator, current, instrument, run, uninstrument } from '../index.mjs'
import { clientInterceptor } from '../grpc.mjs'
import {
  ECHO, EVERYTHING, HTTP, TRACE, answers, connect, instrumented, intercepted, metadata, serve, unary
} from './grpc_servers.mjs'

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

test('what a client\'s call emits, and its callback, are in the scope of the call, whoever has opened the connection', async (t) => {
  const methods = {
    up(call, answer) {
      call.on('data', () => {})
      call.on('end', () => answer(null, 'done'))
    }
  }
  const target = `127.0.0.1:${await serve(t, methods)}`
  const events = ['metadata', 'status', 'drain', 'finish']
  const one = (client, id) => run({ 'x-request-id': id }, async () => {
    const seen = {}
    const note = (event) => (seen[event] = current().get('x-request-id'))
    const call = client.up(() => note('callback'))
    for (const event of events) call.on(event, () => note(event))
    // Longer than what may be sent before somebody has read it.
    while (call.write('x'.repeat(10_000), () => note('written')));
    call.once('drain', () => call.end())
    await once(call, 'status')
    return seen
  })
  const inScope = (id) => Object.fromEntries([...events, 'callback', 'written'].map((event) => [event, id]))
  const all = async (client) => Promise.all(['a', 'b', 'c'].map((id) => one(client, id)))
  assert.deepEqual(await all(intercepted(t, target)), ['a', 'b', 'c'].map(inScope))
  // Negative control: by itself, grpc-js stays with the request that has opened the connection.
  assert.notDeepEqual(await all(connect(t, target)), ['a', 'b', 'c'].map(inScope))
  instrumented(t)
  assert.deepEqual(await all(connect(t, target)), ['a', 'b', 'c'].map(inScope))
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
  uninstrument()
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

test('instrumenting twice changes nothing; what wraps it keeps working when it ends', async (t) => {
  const { createCall } = grpc.Channel.prototype
  t.after(() => (grpc.Channel.prototype.createCall = createCall))
  instrument()
  const wrapper = grpc.Channel.prototype.createCall
  instrument()
  assert.equal(grpc.Channel.prototype.createCall, wrapper)
  grpc.Channel.prototype.createCall = function (...args) {
    return wrapper.apply(this, args)
  }
  uninstrument()
  uninstrument()
  const client = connect(t, `127.0.0.1:${await serve(t, ECHO)}`)
  assert.deepEqual(JSON.parse(await run(HTTP, () => unary(client)))[0], [])
})

