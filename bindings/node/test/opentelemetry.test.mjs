// Rule R13 in Node: the current span of OpenTelemetry's real SDK, and what leaves beside it.

import assert from 'node:assert/strict'
import http from 'node:http'
import http2 from 'node:http2'
import test from 'node:test'
import { ROOT_CONTEXT, context, propagation, trace } from '@opentelemetry/api'

import * as onward from '../index.mjs'
import { CLIENTS } from './clients.mjs'
import { ECHO, connect, metadata, serve, unary } from './grpc_servers.mjs'
import { echo, linesOf, listen } from './servers.mjs'
import { INBOUND, TRACE, provider, reparented, sorted, traced } from './tracing.mjs'

provider.register()

const tracer = provider.getTracer('test')
const within = (span, fn) => context.with(trace.setSpan(ROOT_CONTEXT, span), fn)
/** A span of the caller's trace. */
const continued = () => tracer.startSpan('work', {}, propagation.extract(ROOT_CONTEXT, INBOUND))

test('whatever writes the headers writes the current span; what reads them reads what came in', () => {
  const span = continued()
  const expected = reparented(span.spanContext().spanId)
  const headers = onward.extract(INBOUND)
  within(span, () => onward.run(headers, () => {
    assert.deepEqual(onward.getForwardHeaders(INBOUND), expected)
    assert.deepEqual(onward.getForwardHeaders(INBOUND, 'http://reviews:9080/'), expected)
    assert.deepEqual(headers.toObject(), expected)
    assert.deepEqual(Object.fromEntries(onward.current().inject(new Headers())), expected)
    const { cookie, ...message } = expected
    assert.deepEqual({ ...onward.messages.inject({}) }, message)
    assert.equal(headers.explain().find(({ name }) => name === 'b3').rule, 'R13')
    assert.equal(onward.current().get('b3'), INBOUND.b3)
    assert.deepEqual(Object.fromEntries(headers), INBOUND)
  }))
  assert.deepEqual(headers.toObject(), INBOUND)
  assert.deepEqual(onward.getForwardHeaders(INBOUND), INBOUND)
  span.end()
})

test('each of two spans at a time has its own calls', () => {
  const spans = [continued(), continued()]
  const headers = onward.extract(INBOUND)
  const expected = spans.map((span) => reparented(span.spanContext().spanId))
  for (const _ of [1, 2]) assert.deepEqual(spans.map((span) => within(span, () => headers.toObject())), expected)
  for (const span of spans) span.end()
})

test('with a span that has ended, that is another service\'s, invalid or not sampled, everything leaves as it came', () => {
  const ended = continued()
  ended.end()
  const remote = trace.wrapSpanContext({ traceId: TRACE, spanId: 'abababababababab', traceFlags: 1, isRemote: true })
  const recordOnly = Object.create(continued(), { spanContext: { value: () => ({ traceId: TRACE, spanId: 'abababababababab', traceFlags: 0 }) } })
  const invalid = Object.create(continued(), { spanContext: { value: () => ({ traceId: '0'.repeat(32), spanId: '0'.repeat(16), traceFlags: 1 }) } })
  for (const span of [ended, remote, recordOnly, invalid]) {
    within(span, () => assert.deepEqual(onward.getForwardHeaders(INBOUND), INBOUND))
  }
})

test('a broken tracer costs a warning, and no request', async () => {
  const broken = Object.create(continued(), { spanContext: { value: () => { throw new Error('broken') } } })
  const warned = new Promise((resolve) => process.once('warning', resolve))
  within(broken, () => {
    assert.deepEqual(onward.getForwardHeaders(INBOUND), INBOUND)
    assert.deepEqual(onward.extract(INBOUND).toObject(), INBOUND)
  })
  assert.equal((await warned).message, 'broken')
})

function answer(request, response) {
  response.end(JSON.stringify(linesOf(request)))
}

for (const [name, { send, speaks }] of Object.entries(CLIENTS)) {
  test(`${name}: the current span is the parent, without any other instrumentation`, async (t) => {
    onward.instrument()
    t.after(onward.uninstrument)
    const port = await listen(t, speaks === 'http2' ? http2.createServer(answer) : echo())
    const call = () => onward.run(INBOUND, () => send(`http://127.0.0.1:${port}/`))
    const span = continued()
    assert.deepEqual(traced(await within(span, call)), sorted(reparented(span.spanContext().spanId)))
    span.end()
    assert.deepEqual(traced(await within(span, call)), sorted(INBOUND))
  })
}

test('gRPC: the current span is the parent, and the answer is handled with what came in', async (t) => {
  onward.instrument()
  t.after(onward.uninstrument)
  const client = connect(t, `127.0.0.1:${await serve(t, ECHO)}`)
  const { b3 } = INBOUND
  const span = continued()
  const call = (own) => onward.run({ b3 }, () => unary(client, 'hello', metadata(own)))
  assert.deepEqual(JSON.parse(await within(span, () => call([])))[0], [['b3', reparented(span.spanContext().spanId).b3]])
  assert.deepEqual(JSON.parse(await within(span, () => call([['b3', '0']])))[0], [['b3', '0']])
  const held = await within(span, () => onward.run({ b3 }, () => new Promise((resolve) => {
    client.unary('hello', metadata([]), () => resolve(onward.current().get('b3')))
  })))
  assert.equal(held, b3)
  span.end()
})

test('a call keeps the span that was current where it was made, whoever writes its body', async (t) => {
  onward.instrument()
  t.after(onward.uninstrument)
  const port = await listen(t, echo())
  const [mine, other] = [continued(), continued()]
  const request = within(mine, () => onward.run(INBOUND, () => http.request({ port, host: '127.0.0.1', method: 'POST', agent: false })))
  const answered = new Promise((resolve) => request.once('response', resolve))
  within(other, () => request.end('body'))
  let text = ''
  for await (const piece of await answered) text += piece
  assert.deepEqual(traced(JSON.parse(text)), sorted(reparented(mine.spanContext().spanId)))
})
