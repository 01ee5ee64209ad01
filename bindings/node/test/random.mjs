// Random headers that repeat with their seed, and the comparison of the plan in JavaScript with the core.

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'

import { Propagator } from '../index.mjs'

const require = createRequire(import.meta.url)
const native = require('../lib/native')
const { Policy } = require('../lib/policy')

export const SEED = 20_261_122
export const POLICIES = [
  {},
  { presets: ['jaeger', 'lightstep', 'session'] },
  { presets: ['datadog', 'xray', 'skywalking'], add: ['x-tenant-id', 'x-canary-*'], remove: ['x-canary-internal'] },
  { presets: ['w3c'], add: ['x-*', 'b*'], remove: ['x-secret-*'], traceDestinations: 'mesh' },
  { presets: ['istio'], add: ['ot-baggage-*', '7up', '__*'], maxBytes: 200, maxPrefixHeaders: 2 },
  { presets: ['stackdriver'], add: ['x-a', 'x-ab', 'x-abc', 'X-B3-*'], maxPrefixHeaders: 0 }
]
const DESTINATIONS = [undefined, 'http://reviews:9080/', 'https://api.example.com/', 'http://169.254.169.254/', 'https://a.example.com/?X-Amz-Signature=1']
const NAMES = [
  'x-request-id', 'X-Request-ID', 'traceparent', 'tracestate', 'TraceState', 'baggage', 'b3', 'x-b3-traceid', 'X-B3-TraceId',
  'x-b3-sampled', 'cookie', 'Cookie', 'authorization', 'user-agent', 'User-Agent', 'jwt', 'end-user', 'uber-trace-id', 'uberctx-a',
  'Uberctx-A', 'ot-baggage-k', 'ot-tracer-traceid', 'x-datadog-tags', 'x-datadog-origin', 'sw8', 'sw8-x', 'x-amzn-trace-id',
  'x-canary-a', 'X-Canary-B', 'x-canary-internal', 'x-canary-', 'x-secret-a', 'x-secre', 'x-forwarded-for', 'x-envoy-peer', 'host',
  'accept', 'x-tenant-id', 'x-tenant-ie', 'tracestatf', 'x-a', 'x-ab', '7up', '__proto__', 'constructor', 'x y', 'x-\u212a', 'bagpipe', ''
]
const VALUES = ['a', '1', 'abc def', ' padded ', '', ' ', '\t', 'caf\u00e9', 'a,b', 'a\u0000', 'a\r\nb', '\u007f', '\u20ac', 'v'.repeat(70), 'v'.repeat(300)]

/** Numbers that repeat with the seed (mulberry32). */
function numbers(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

export function generator(seed) {
  const random = numbers(seed)
  const one = (list) => list[Math.floor(random() * list.length)]
  // Most lines are usual, so that both ways through the face are taken.
  const value = () => (random() < 0.8 ? one(VALUES.slice(0, 3)) : one(VALUES))
  const lines = (most) => Array.from({ length: Math.floor(random() * most) }, () => [one(NAMES), value()])
  return { one, lines, random }
}

/** Compares every answer of the face with the core's. Gives how many requests went the quick way. */
export function compareWithCore({ lines, one }, rounds) {
  let quick = 0
  for (const options of POLICIES) {
    const propagator = new Propagator(options)
    const compiled = native.compile(options)
    const { plan } = new Policy(native.compile(options))
    for (let round = 0; round < rounds; round++) {
      const inbound = lines(12)
      const outbound = lines(3).filter(([name]) => name !== '')
      const destination = one(DESTINATIONS)
      const context = JSON.stringify({ options, inbound, outbound, destination })
      const capture = compiled.extract(inbound.flat())
      const headers = propagator.extract(inbound)
      if (plan.pick(inbound.flat(), {}) !== undefined) quick++

      assert.deepEqual([...headers].flat(), capture.lines(), context)
      assert.deepEqual(headers.dropped.flatMap(({ name, reason }) => [name, reason]), capture.dropped(), context)
      assert.deepEqual(headers.explain(destination, outbound), capture.explain(destination, outbound.flat(), []), context)

      const carrier = outbound.map((line) => [...line])
      headers.inject(carrier, destination)
      const added = carrier.slice(outbound.length).flat()
      assert.deepEqual(added, capture.inject(destination, outbound.flat(), [], true), context)

      const joined = capture.inject(destination, [], [], false)
      const object = propagator.getForwardHeaders(inbound, destination)
      assert.deepEqual(new Map(Object.entries(object)), new Map(pairs(joined)), context)
    }
  }
  return quick
}

const pairs = (flat) => flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1]]] : []))
