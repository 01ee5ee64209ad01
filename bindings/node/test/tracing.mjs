// A service of Express beside OpenTelemetry, with its real SDK and its instrumentation of node:http, undici and Express; between a
// caller and a leaf.

import assert from 'node:assert/strict'
import http from 'node:http'
import { createRequire } from 'node:module'
import test from 'node:test'
import { ROOT_CONTEXT, SpanKind, context, propagation } from '@opentelemetry/api'
import { suppressTracing } from '@opentelemetry/core'
import { ExpressInstrumentation } from '@opentelemetry/instrumentation-express'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import { B3InjectEncoding, B3Propagator } from '@opentelemetry/propagator-b3'
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node'

import * as onward from '../index.mjs'
import { CLIENTS } from './clients.mjs'
import { echo, listen, valuesOf } from './servers.mjs'

const require = createRequire(import.meta.url)
// There is no instrumentation of node:http2.
const HTTP1 = Object.entries(CLIENTS).filter(([, { speaks }]) => speaks === undefined)

export const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
export const CALLER = '00f067aa0ba902b7'
export const INBOUND = {
  'x-request-id': 'a-1',
  'traceparent': `00-${TRACE}-${CALLER}-01`,
  'tracestate': 'es=s:1',
  'b3': `${TRACE}-${CALLER}-1`,
  'x-b3-traceid': TRACE,
  'x-b3-spanid': CALLER,
  'x-b3-sampled': '1',
  'x-datadog-trace-id': '11803532876627986230',
  'x-datadog-parent-id': '67667974448284343',
  'x-datadog-sampling-priority': '1',
  'x-datadog-tags': '_dd.p.tid=4bf92f3577b34da6',
  'sw8': '1-YQ==-Yg==-3-c3Zj-aW5z-L2E=-aG9zdDo4MA==',
  'x-ot-span-context': 'secret;of;lightstep',
  'cookie': 'session=secret'
}

const exporter = new InMemorySpanExporter()
/** Its sampler does what the parent says; a trace that begins here is sampled. */
export const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })

/** Starts the instrumentation, for as long as the process lasts. */
export function instrumented() {
  for (const instrumentation of [new HttpInstrumentation(), new UndiciInstrumentation(), new ExpressInstrumentation()]) {
    instrumentation.setTracerProvider(provider)
    instrumentation.enable()
  }
  // They wait for that.
  for (const name of ['http', 'https', 'express']) require(name)
}

/** A service of Express that answers with what its call has brought to the leaf. Gives its address. */
export async function service(t, send, ...middleware) {
  const leaf = await listen(t, echo())
  const app = require('express')()
  if (middleware.length > 0) app.use(...middleware)
  app.get('/', async (request, response) => response.json(await send(`http://127.0.0.1:${leaf}/`)))
  return `http://127.0.0.1:${await listen(t, http.createServer(app))}/`
}

/** What a caller outside of the SDK gets. */
export function ask(url, headers) {
  return context.with(suppressTracing(ROOT_CONTEXT), () => new Promise((resolve, reject) => {
    http.get(url, { headers, agent: false }, async (response) => {
      let text = ''
      for await (const piece of response) text += piece
      resolve(JSON.parse(text))
    }).on('error', reject)
  }))
}

/** The lines of the names in `INBOUND`. */
export const traced = (lines) => lines.filter(([name]) => Object.hasOwn(INBOUND, name)).sort()
export const sorted = (headers) => Object.entries(headers).sort()

/** What came in, with the span `id` as the parent. */
export function reparented(id) {
  return {
    ...INBOUND,
    'traceparent': `00-${TRACE}-${id}-01`,
    'b3': `${TRACE}-${id}-1`,
    'x-b3-spanid': id,
    'x-datadog-parent-id': String(BigInt(`0x${id}`))
  }
}

/** Has OpenTelemetry read and write headers by `propagator`, until the test `t` ends. */
export function usePropagator(t, propagator) {
  propagation.disable()
  propagation.setGlobalPropagator(propagator)
  t.after(() => {
    propagation.disable()
    provider.register()
  })
}

/** The spans from the one with this id up to the first of this process. */
function ancestors(id) {
  const spans = new Map(exporter.getFinishedSpans().map((span) => [span.spanContext().spanId, span]))
  const chain = []
  for (let span = spans.get(id); span !== undefined; span = spans.get(span.parentSpanContext?.spanId)) chain.push(span)
  return chain
}

/** What holds when both run, whichever was started first. */
export function besideInstrumentation() {
  for (const [name, client] of HTTP1) {
    test(`${name}: every format has the client's span as the parent, once, and nothing is lost`, async (t) => {
      exporter.reset()
      const lines = await ask(await service(t, client.send, onward.express()), INBOUND)
      const [, , id] = valuesOf(lines, 'traceparent')[0].split('-')
      assert.deepEqual(traced(lines), sorted(reparented(id)))
      const spans = ancestors(id)
      assert.equal(spans[0].kind, SpanKind.CLIENT)
      assert.equal(spans.at(-1).kind, SpanKind.SERVER)
      assert.equal(spans.at(-1).parentSpanContext.spanId, CALLER)
      assert.deepEqual(new Set(spans.map((span) => span.spanContext().traceId)), new Set([TRACE]))
    })
  }

  for (const name of ['fetch', 'node:http']) {
    const { send } = CLIENTS[name]

    test(`${name}: in a trace that is not sampled everything leaves as it came, but for what the tracer writes`, async (t) => {
      const unsampled = { ...INBOUND, traceparent: `00-${TRACE}-${CALLER}-00` }
      const lines = await ask(await service(t, send, onward.express()), unsampled)
      const [traceparent] = valuesOf(lines, 'traceparent')
      assert.match(traceparent, new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`))
      assert.deepEqual(traced(lines), sorted({ ...unsampled, traceparent }))
    })

    test(`${name}: where nothing came in, the tracer's own headers stand alone`, async (t) => {
      const lines = await ask(await service(t, send, onward.express()), {})
      assert.deepEqual(traced(lines).map(([name]) => name), ['traceparent'])
    })

    test(`${name}: a broken traceparent is ignored with its tracestate, and the trace starts anew`, async (t) => {
      const { tracestate, cookie } = INBOUND
      const inbound = { 'x-request-id': 'a-1', 'traceparent': `ff-${TRACE}-${CALLER}-01`, tracestate, cookie }
      const lines = await ask(await service(t, send, onward.express()), inbound)
      const [traceparent] = valuesOf(lines, 'traceparent')
      assert.match(traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[13]$/)
      assert.ok(!traceparent.includes(TRACE))
      assert.deepEqual(traced(lines), sorted({ 'x-request-id': 'a-1', traceparent, cookie }))
    })

    test(`${name}: what the handler has set stays, and the rest has the client's span as the parent`, async (t) => {
      const lines = await ask(await service(t, (url) => send(url, { b3: '0' }), onward.express()), INBOUND)
      const [, , id] = valuesOf(lines, 'traceparent')[0].split('-')
      assert.deepEqual(traced(lines), sorted({ ...reparented(id), b3: '0' }))
    })

    test(`${name}: a tracer that writes B3 agrees with the other formats`, async (t) => {
      usePropagator(t, new B3Propagator({ injectEncoding: B3InjectEncoding.SINGLE_HEADER }))
      const lines = await ask(await service(t, send, onward.express()), INBOUND)
      const [, id] = valuesOf(lines, 'b3')[0].split('-')
      assert.deepEqual(traced(lines), sorted(reparented(id)))
    })
  }

  for (const when of ['Onward is stopped', 'Onward is started and stopped again']) {
    test(`when ${when}, the tracer's own format goes on, and nothing else`, async (t) => {
      onward.uninstrument()
      t.after(onward.instrument)
      for (const name of ['fetch', 'node:http']) {
        const lines = await ask(await service(t, CLIENTS[name].send), INBOUND)
        assert.deepEqual(traced(lines).map(([name]) => name), ['traceparent', 'tracestate'])
      }
    })
  }

  test('when Onward is started again, everything is forwarded again', async (t) => {
    for (const name of ['fetch', 'node:http']) {
      const lines = await ask(await service(t, CLIENTS[name].send, onward.express()), INBOUND)
      const [, , id] = valuesOf(lines, 'traceparent')[0].split('-')
      assert.deepEqual(traced(lines), sorted(reparented(id)))
    }
  })
}
