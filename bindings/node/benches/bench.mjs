// What the face costs, beside the loop that everybody writes and OpenTelemetry's propagators. Rounds of all contenders are
// interleaved in one process; only ratios of medians mean anything. `--json` prints one object, `--rounds N` sets how many.

import http from 'node:http'
import { parseArgs } from 'node:util'
import { ROOT_CONTEXT, defaultTextMapGetter, defaultTextMapSetter } from '@opentelemetry/api'
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core'
import { B3InjectEncoding, B3Propagator } from '@opentelemetry/propagator-b3'

import { Propagator } from '../index.mjs'
import { fixtures } from './fixtures.mjs'

const { values: options } = parseArgs({ options: { json: { type: 'boolean' }, rounds: { type: 'string', default: '41' } } })
const POOL = 64
const REPEATS = 40

const propagator = new Propagator({ add: ['x-tenant-id', 'x-canary-*', 'x-ab-*'] })
const names = [
  'x-request-id', 'x-ot-span-context', 'x-datadog-trace-id', 'x-datadog-parent-id', 'x-datadog-sampling-priority', 'traceparent',
  'tracestate', 'x-cloud-trace-context', 'grpc-trace-bin', 'x-b3-traceid', 'x-b3-spanid', 'x-b3-parentspanid', 'x-b3-sampled',
  'x-b3-flags', 'sw8', 'end-user', 'user-agent', 'cookie', 'authorization', 'jwt', 'b3', 'baggage', 'x-datadog-origin',
  'x-datadog-tags', 'sw8-correlation', 'sw8-x', 'x-tenant-id'
]

function handWritten(headers) {
  const forward = {}
  for (const name of names) {
    const value = headers[name]
    if (value !== undefined) forward[name] = value
  }
  return forward
}

const composite = new CompositePropagator({
  propagators: [
    new W3CTraceContextPropagator(),
    new W3CBaggagePropagator(),
    new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER })
  ]
})

function openTelemetry(headers) {
  const forward = {}
  composite.inject(composite.extract(ROOT_CONTEXT, headers, defaultTextMapGetter), forward, defaultTextMapSetter)
  return forward
}

// Where Node keeps the headers that it has made of the raw ones; without them it makes them again at the next look.
const made = Object.getOwnPropertySymbols(new http.IncomingMessage(null)).find(({ description }) => description === 'kHeaders')
const untouched = (request) => {
  request[made] = null
  return request
}

const PATHS = {
  'materialised headers': {
    onward: (request) => propagator.getForwardHeaders(request),
    handWritten: (request) => handWritten(request.headers),
    openTelemetry: (request) => openTelemetry(request.headers)
  },
  'untouched raw headers': {
    onward: (request) => propagator.getForwardHeaders(untouched(request)),
    handWritten: (request) => handWritten(untouched(request).headers),
    openTelemetry: (request) => openTelemetry(untouched(request).headers)
  },
  'capture and inject': {
    onward: (request) => propagator.extract(request).inject({}),
    handWritten: (request) => handWritten(request.headers),
    openTelemetry: (request) => openTelemetry(request.headers)
  },
  'capture alone': {
    onward: (request) => propagator.extract(request),
    handWritten: (request) => handWritten(request.headers),
    openTelemetry: (request) => composite.extract(ROOT_CONTEXT, request.headers, defaultTextMapGetter)
  },
  'plain object': {
    onward: (request) => propagator.getForwardHeaders(request.headers),
    handWritten: (request) => handWritten(request.headers),
    openTelemetry: (request) => openTelemetry(request.headers)
  }
}

let sink

function time(contender, requests) {
  const start = process.hrtime.bigint()
  for (let i = 0; i < REPEATS; i++) for (const request of requests) sink = contender(request)
  return Number(process.hrtime.bigint() - start) / (REPEATS * requests.length)
}

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[sorted.length >> 1]
}

function measure(contenders, requests, rounds) {
  const times = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]))
  for (let round = -8; round < rounds; round++) {
    for (const [name, contender] of Object.entries(contenders)) {
      const nanoseconds = time(contender, requests)
      if (round >= 0) times[name].push(nanoseconds)
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, list]) => [name, median(list)]))
}

const rounds = Math.max(25, Number(options.rounds))
const { S, L, close } = await fixtures(POOL)
for (const request of [...S, ...L]) void request.headers
const forwarded = [S, L].map(([request]) => Object.keys(propagator.getForwardHeaders(request)).length)
if (forwarded.join() !== '6,12') throw new Error(`${forwarded} headers are forwarded, not 6 and 12`)

const rows = []
for (const [path, contenders] of Object.entries(PATHS)) {
  for (const [fixture, requests] of Object.entries({ S, L })) {
    const ns = measure(contenders, requests, rounds)
    rows.push({
      path,
      fixture,
      ns: Object.fromEntries(Object.entries(ns).map(([name, value]) => [name, Math.round(value)])),
      handWritten: Number((ns.handWritten / ns.onward).toFixed(2)),
      openTelemetry: Number((ns.openTelemetry / ns.onward).toFixed(2))
    })
  }
}
close()

if (options.json) console.log(JSON.stringify({ language: 'node', version: process.version, rounds, rows }))
else {
  console.table(rows.map(({ path, fixture, ns, handWritten: hand, openTelemetry: otel }) => ({
    path, fixture, 'onward ns': ns.onward, 'hand-written ns': ns.handWritten, 'OpenTelemetry ns': ns.openTelemetry,
    'against the loop': `${hand}x`, 'against OpenTelemetry': `${otel}x`
  })))
}
if (sink === undefined) process.exitCode = 1
