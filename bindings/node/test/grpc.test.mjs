// gRPC in front of gRPC, real servers and clients on loopback: what came into one arrives at the other.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import { text } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import grpc from '@grpc/grpc-js'

import { Propagator, carry, current, getForwardHeaders, instrument, propagate, run, uninstrument } from '../index.mjs'
import { serverInterceptor } from '../grpc.mjs'
import {
  ECHO, EVERYTHING, HTTP, INBOUND, TRACE, answers, connect, instrumented, intercepted, metadata, serve, unary
} from './grpc_servers.mjs'
import { echo, listen, valuesOf } from './servers.mjs'

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

function each(lines) {
  const answer = [lines, ['hello']]
  return { unary: [answer], down: [answer, answer], up: [answer, answer, answer], both: [answer, answer, answer] }
}

const propagated = (methods) => Object.fromEntries(Object.entries(methods).map(([kind, method]) => [kind, propagate(method)]))

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

test('servers and clients without a line of their own, once all is instrumented', async (t) => {
  instrumented(t, { servers: true })
  assert.deepEqual(await answers(await relay(t, { explicit: false })), each(EVERYTHING))
})

test('without one of the two sides nothing goes on', async (t) => {
  const covered = { serverOptions: { interceptors: [serverInterceptor()] } }
  assert.deepEqual(await answers(await relay(t)), each([]))
  assert.deepEqual(await answers(await relay(t, { ...covered, explicit: false })), each([]))
  instrument({ servers: true })
  const client = await relay(t, { explicit: false })
  uninstrument()
  assert.deepEqual((await answers(client)).unary, [[[], ['hello']]])
  assert.deepEqual(await answers(await relay(t, { explicit: false })), each([]))
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

test('neither onward nor onward/grpc loads grpc-js', () => {
  const script = 'require("onward"); require("onward/grpc"); console.log(Object.keys(require.cache).filter((file) => file.includes("grpc-js")).length)'
  const output = execFileSync(process.execPath, ['-e', script], { cwd: fileURLToPath(new URL('..', import.meta.url)), encoding: 'utf8' })
  assert.equal(output, '0\n')
})
