// onward/opentelemetry: OpenTelemetry's instrumentation forwards, by Onward's propagator among its own.

import assert from 'node:assert/strict'
import test from 'node:test'
import { ROOT_CONTEXT, SpanKind, context, defaultTextMapGetter, defaultTextMapSetter, trace } from '@opentelemetry/api'
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core'

import * as onward from '../index.mjs'
import { OnwardPropagator } from '../opentelemetry.mjs'
import { CLIENTS } from './clients.mjs'
import { valuesOf } from './servers.mjs'
import { INBOUND, ask, instrumented, provider, reparented, service, sorted, traced, usePropagator } from './tracing.mjs'

const OTHERS = [new W3CTraceContextPropagator(), new W3CBaggagePropagator()]
const { cookie, ...TRACES } = INBOUND

provider.register()
instrumented()

const composite = (...propagators) => new CompositePropagator({ propagators })
const ORDERS = {
  'behind the others': () => composite(...OTHERS, new OnwardPropagator()),
  'in front of the others': () => composite(new OnwardPropagator(), ...OTHERS)
}

for (const name of ['fetch', 'node:http', 'undici 7, request']) {
  const { send } = CLIENTS[name]

  for (const [order, propagator] of Object.entries(ORDERS)) {
    test(`${name}: ${order}, it has what came in leave with the client's span as the parent`, async (t) => {
      usePropagator(t, propagator())
      const lines = await ask(await service(t, send), INBOUND)
      const [, , id] = valuesOf(lines, 'traceparent')[0].split('-')
      assert.deepEqual(traced(lines), sorted(reparented(id)))
    })
  }

  test(`${name}: without it only the tracer's own format goes on`, async (t) => {
    usePropagator(t, composite(...OTHERS))
    const lines = await ask(await service(t, send), INBOUND)
    assert.deepEqual(traced(lines).map(([name]) => name), ['traceparent', 'tracestate'])
  })

  test(`${name}: beside instrument() every header leaves once`, async (t) => {
    usePropagator(t, composite(...OTHERS, new OnwardPropagator()))
    onward.instrument()
    t.after(onward.uninstrument)
    const lines = await ask(await service(t, send, onward.express()), INBOUND)
    const [, , id] = valuesOf(lines, 'traceparent')[0].split('-')
    assert.deepEqual(traced(lines), sorted(reparented(id)))
  })
}

/** What is put beside `carrier` when `span`, if there is one, makes a call for the request that came in. */
function injected(propagator, span, carrier = {}) {
  const extracted = propagator.extract(ROOT_CONTEXT, INBOUND, defaultTextMapGetter)
  propagator.inject(span === undefined ? extracted : trace.setSpan(extracted, span), carrier, defaultTextMapSetter)
  return carrier
}

test('context and credentials go where a client\'s span tells a destination in the mesh, and nowhere else', () => {
  const propagator = new OnwardPropagator()
  // Not reported: what came in leaves as it came.
  const span = (kind, url) => ({ kind, attributes: { 'url.full': url }, isRecording: () => false })
  assert.deepEqual(injected(propagator), TRACES)
  assert.deepEqual(injected(propagator, span(SpanKind.CLIENT, 'http://reviews:9080/')), INBOUND)
  assert.deepEqual(injected(propagator, span(SpanKind.CLIENT, 'https://api.example.com/')), TRACES)
  assert.deepEqual(injected(propagator, span(SpanKind.SERVER, 'http://reviews:9080/')), TRACES)
})

test('a family that is there stays as it is', () => {
  const { b3, 'x-request-id': _, ...rest } = TRACES
  assert.deepEqual(injected(new OnwardPropagator(), undefined, { b3: '0', 'X-Request-Id': 'mine' }), { ...rest, b3: '0', 'X-Request-Id': 'mine' })
})

test('the policy may be another one', () => {
  const propagator = new OnwardPropagator({ propagator: new onward.Propagator({ presets: ['w3c'], add: ['x-tenant-*'] }) })
  assert.deepEqual(injected(propagator), { 'traceparent': INBOUND.traceparent, 'tracestate': INBOUND.tracestate, 'x-request-id': 'a-1' })
  assert.deepEqual(propagator.fields(), ['x-request-id', 'traceparent', 'tracestate', 'baggage'])
})

test('without a request it writes nothing; within Onward\'s scope, what came in', () => {
  const propagator = new OnwardPropagator()
  const write = () => {
    const carrier = {}
    propagator.inject(context.active(), carrier, defaultTextMapSetter)
    return carrier
  }
  assert.deepEqual(write(), {})
  assert.deepEqual(onward.run(INBOUND, write), TRACES)
})
