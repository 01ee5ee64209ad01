// Beside tracers: OpenTelemetry's instrumentation of http and of undici, with its real SDK, started before Onward and after it.

import assert from 'node:assert/strict'
import http from 'node:http'
import http2 from 'node:http2'
import Module, { createRequire } from 'node:module'
import test from 'node:test'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import { AlwaysOnSampler, NodeTracerProvider } from '@opentelemetry/sdk-trace-node'

import * as onward from '../index.mjs'
import { CLIENTS } from './clients.mjs'
import { echo, listen, valuesOf } from './servers.mjs'

// There is no instrumentation of node:http2.
const HTTP1 = Object.entries(CLIENTS).filter(([, { speaks }]) => speaks === undefined)
const require = createRequire(import.meta.url)

const INBOUND = {
  'x-request-id': 'a-1',
  'traceparent': '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  'tracestate': 'es=s:1',
  'x-datadog-trace-id': '1234567890',
  'x-datadog-parent-id': '987654321',
  'cookie': 'session=secret'
}

const provider = new NodeTracerProvider({ sampler: new AlwaysOnSampler() })
provider.register()

function tracing(t) {
  const instrumentations = [new HttpInstrumentation(), new UndiciInstrumentation()]
  for (const instrumentation of instrumentations) {
    instrumentation.setTracerProvider(provider)
    instrumentation.enable()
  }
  // It waits for that.
  require('http')
  require('https')
  t.after(() => instrumentations.forEach((instrumentation) => instrumentation.disable()))
}

function forwarding(t) {
  onward.instrument()
  t.after(onward.uninstrument)
}

test('before a tracer is started, the inbound traceparent goes out', async (t) => {
  forwarding(t)
  const port = await listen(t, echo())
  for (const name of ['fetch', 'node:http']) {
    const lines = await onward.run(INBOUND, () => CLIENTS[name].send(`http://127.0.0.1:${port}/`))
    assert.deepEqual(valuesOf(lines, 'traceparent'), [INBOUND.traceparent])
  }
})

test('headers that Datadog\'s tracer has set are left alone, as a family', async (t) => {
  forwarding(t)
  const port = await listen(t, echo())
  const set = { 'x-datadog-trace-id': '42', 'x-datadog-sampling-priority': '1' }
  for (const [name, client] of HTTP1) {
    await t.test(name, async () => {
      const lines = await onward.run(INBOUND, () => client.send(`http://127.0.0.1:${port}/`, set))
      assert.deepEqual(valuesOf(lines, 'x-datadog-trace-id'), ['42'])
      assert.deepEqual(valuesOf(lines, 'x-datadog-parent-id'), [])
      assert.deepEqual(valuesOf(lines, 'x-datadog-sampling-priority'), ['1'])
      assert.deepEqual(valuesOf(lines, 'traceparent'), [INBOUND.traceparent])
    })
  }
})

test('what somebody has wrapped works on, and forwards, when Onward is stopped and started again', async (t) => {
  const places = [[http, 'request'], [http2, 'connect'], [globalThis, 'fetch'], [Module.prototype, 'require']]
  const originals = places.map(([holder, name]) => holder[name])
  t.after(() => places.forEach(([holder, name], i) => { holder[name] = originals[i] }))
  forwarding(t)
  for (const [holder, name] of places) {
    const inner = holder[name]
    holder[name] = function (...args) { return inner.apply(this, args) }
  }
  onward.uninstrument()
  const port = await listen(t, echo())
  const seen = async (name) => valuesOf(await onward.run(INBOUND, () => CLIENTS[name].send(`http://127.0.0.1:${port}/`)), 'x-request-id')
  for (const name of ['fetch', 'node:http']) assert.deepEqual(await seen(name), [])
  onward.instrument()
  for (const name of ['fetch', 'node:http']) assert.deepEqual(await seen(name), ['a-1'])
  assert.equal(require('node:zlib'), await import('node:zlib').then((zlib) => zlib.default))
  await new Promise((resolve) => http2.connect(`http://127.0.0.1:${port}/`).on('error', () => {}).on('close', resolve).close())
})

const ORDERS = {
  'OpenTelemetry, then Onward': [tracing, forwarding],
  'Onward, then OpenTelemetry': [forwarding, tracing]
}

for (const [order, steps] of Object.entries(ORDERS)) {
  test(order, async (t) => {
    for (const step of steps) step(t)
    const port = await listen(t, echo())
    for (const [name, client] of HTTP1) {
      await t.test(`${name}: there is one traceparent, the tracer's, and the other headers are forwarded`, async () => {
        const lines = await onward.run(INBOUND, () => client.send(`http://127.0.0.1:${port}/`))
        const [parent, ...more] = valuesOf(lines, 'traceparent')
        assert.match(parent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
        assert.notEqual(parent, INBOUND.traceparent)
        assert.deepEqual(more, [])
        assert.deepEqual(valuesOf(lines, 'tracestate'), [])
        assert.deepEqual(valuesOf(lines, 'x-request-id'), ['a-1'])
        assert.deepEqual(valuesOf(lines, 'cookie'), ['session=secret'])
      })
    }
  })
}
