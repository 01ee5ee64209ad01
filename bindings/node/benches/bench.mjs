// What the face costs, beside the loop that everybody writes and OpenTelemetry's propagators. Rounds of all contenders are
// interleaved in one process; only ratios of medians mean anything. `--json` prints one object, `--rounds N` sets how many.

import http from 'node:http'
import { parseArgs } from 'node:util'
import { ROOT_CONTEXT, defaultTextMapGetter } from '@opentelemetry/api'
import grpc from '@grpc/grpc-js'

import { Propagator } from '../index.mjs'
import { composite, handWritten, openTelemetry } from './contenders.mjs'
import { fixtures } from './fixtures.mjs'

const { values: options } = parseArgs({ options: { json: { type: 'boolean' }, rounds: { type: 'string', default: '41' } } })
const POOL = 64
const REPEATS = 40

const propagator = new Propagator({ add: ['x-tenant-id', 'x-canary-*', 'x-ab-*'] })
// Where Node keeps the headers that it has made of the raw ones; without them it makes them again at the next look.
const made = Object.getOwnPropertySymbols(new http.IncomingMessage(null)).find(({ description }) => description === 'kHeaders')
const untouched = (request) => {
  request[made] = null
  return request
}

const byHand = ({ headers }) => handWritten((name) => headers[name])
const byGet = (carrier) => handWritten((name) => carrier.get(name))
const FIRST = { keys: (carrier) => [...carrier.keys()], get: (carrier, name) => carrier.get(name) ?? undefined }
const METADATA = { keys: (metadata) => Object.keys(metadata.getMap()), get: (metadata, name) => metadata.get(name)[0] }

/** For each path what it reads, made of a request, and who reads it. */
const PATHS = {
  'materialised headers': {
    onward: (request) => propagator.getForwardHeaders(request),
    handWritten: byHand,
    openTelemetry: ({ headers }) => openTelemetry(headers)
  },
  'untouched raw headers': {
    onward: (request) => propagator.getForwardHeaders(untouched(request)),
    handWritten: (request) => byHand(untouched(request)),
    openTelemetry: (request) => openTelemetry(untouched(request).headers)
  },
  'capture and inject': {
    onward: (request) => propagator.extract(request).inject({}),
    handWritten: byHand,
    openTelemetry: ({ headers }) => openTelemetry(headers)
  },
  'capture alone': {
    onward: (request) => propagator.extract(request),
    handWritten: byHand,
    openTelemetry: ({ headers }) => composite.extract(ROOT_CONTEXT, headers, defaultTextMapGetter)
  },
  'plain object': {
    onward: (request) => propagator.getForwardHeaders(request.headers),
    handWritten: byHand,
    openTelemetry: ({ headers }) => openTelemetry(headers)
  },
  'Koa, Fastify, Hono on Node': {
    made: (request) => ({ req: request, raw: request, headers: request.headers }),
    onward: (context) => propagator.getForwardHeaders(context),
    handWritten: byHand,
    openTelemetry: ({ headers }) => openTelemetry(headers)
  },
  'Fetch Request': {
    made: ({ headers }) => new Request('http://reviews/', { headers }),
    onward: (request) => propagator.getForwardHeaders(request),
    handWritten: ({ headers }) => byGet(headers),
    openTelemetry: ({ headers }) => openTelemetry(headers, FIRST)
  },
  'array of pairs': {
    made: ({ headers }) => Object.entries(headers),
    onward: (pairs) => propagator.getForwardHeaders(pairs),
    handWritten: (pairs) => byGet(new Map(pairs)),
    openTelemetry: (pairs) => openTelemetry(new Map(pairs), FIRST)
  },
  'gRPC metadata': {
    made: ({ headers }) => {
      const metadata = new grpc.Metadata()
      for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
      return metadata
    },
    onward: (metadata) => propagator.getForwardHeaders(metadata),
    handWritten: (metadata) => handWritten((name) => metadata.get(name)[0]),
    openTelemetry: (metadata) => openTelemetry(metadata, METADATA)
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
for (const [path, { made = (request) => request, ...contenders }] of Object.entries(PATHS)) {
  for (const [fixture, requests] of Object.entries({ S, L })) {
    const ns = measure(contenders, requests.map(made), rounds)
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
