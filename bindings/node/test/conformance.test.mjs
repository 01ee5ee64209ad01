import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import http from 'node:http'
import test from 'node:test'
import { createRequire } from 'node:module'

import { OnwardError, Propagator, current, messages, run } from '../index.mjs'
import { cases } from './vectors.mjs'
import { parsedRequests } from './servers.mjs'

const require = createRequire(import.meta.url)
const { write } = require('../lib/headers')
const { writer } = require('../lib/outbound')
const native = require('../lib/native')

const ENVIRONMENT = 'ONWARD_'

function propagator({ env = {}, limits = {} }) {
  return Propagator.fromEnv(env, { maxBytes: limits.max_bytes, maxPrefixHeaders: limits.max_prefix_headers })
}

/** The core itself, through the same addon. */
function core({ env = {}, limits = {} }) {
  const variables = Object.entries(env).filter(([name]) => name.startsWith(ENVIRONMENT))
  return native.compileEnv(variables.flat(), limits.max_bytes, limits.max_prefix_headers)
}

const group = (inbound) => {
  const object = {}
  for (const [name, value] of inbound) {
    const key = Object.keys(object).find((other) => other.toLowerCase() === name.toLowerCase()) ?? name
    const values = [...(object[key] ?? []), value]
    Object.defineProperty(object, key, { value: values, enumerable: true, configurable: true, writable: true })
  }
  return object
}
const unwrapped = (inbound) => {
  const object = group(inbound)
  for (const key of Object.keys(object)) if (object[key].length === 1) object[key] = object[key][0]
  return object
}

const isToken = (name) => /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)
const isOnTheWire = ([name, value]) => isToken(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value) && value.trim() === value
const isDistinct = (inbound) => new Set(inbound.map(([name]) => name.toLowerCase())).size === inbound.length

/** Every carrier that can hold the lines, as a function of them. */
const INBOUND = {
  'pairs': (inbound) => inbound,
  'flat list': (inbound) => (inbound.length === 0 ? undefined : inbound.flat()),
  'iterable of pairs': (inbound) => new Set(inbound),
  'object of lists': (inbound) => group(inbound),
  'object of strings': (inbound) => unwrapped(inbound),
  'request that Node has not parsed': (inbound) => ({ rawHeaders: inbound.flat(), headers: {} }),
  'wrapped request': (inbound) => ({ raw: { rawHeaders: inbound.flat() } }),
  'Headers': (inbound) => (isDistinct(inbound) && inbound.every(isOnTheWire) ? new Headers(inbound) : undefined),
  'Fetch Request': (inbound) => (isDistinct(inbound) && inbound.every(isOnTheWire) ? new Request('http://a/', { headers: inbound }) : undefined),
  'Map': (inbound) => (isDistinct(inbound) ? new Map(inbound) : undefined)
}
// Carriers that give names in an order of their own.
const SORTED = new Set(['Headers', 'Fetch Request'])
const isPrefixed = (each) => Object.values(each.env ?? {}).some((value) => value.includes('*'))

const MULTI = {
  'pairs': { make: (lines) => lines.map((line) => [...line]), read: (carrier) => carrier },
  'flat list': {
    make: (lines) => (lines.length === 0 ? undefined : lines.flat()),
    read: (flat) => flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1]]] : []))
  }
}
const SINGLE = {
  'object': { make: (lines) => Object.fromEntries(lines), read: (carrier) => Object.entries(carrier) },
  'Map': { make: (lines) => new Map(lines), read: (carrier) => [...carrier] }
}

/** What injection adds to `outbound`; the lines that were there must still be. */
function added({ make, read }, headers, { destination, outbound = [], default_user_agent: isDefault }) {
  const carrier = make(outbound)
  if (carrier === undefined) return undefined
  if (isDefault) {
    const [kind, into] = writer(carrier)
    write(headers, kind, into, destination, () => true)
  } else {
    assert.equal(headers.inject(carrier, destination), carrier)
  }
  const after = read(carrier)
  const before = outbound.filter((line) => after.some(([name, value]) => name === line[0] && value === line[1]))
  // A default that is replaced counts as added; every other line stays where it was.
  assert.ok(isDefault || before.length === outbound.length, 'a line of the caller is gone')
  return after.filter(([name, value]) => !before.some((line) => line[0] === name && line[1] === value))
}

function check(each, headers) {
  for (const [expected, carriers] of [[each.lines, MULTI], [each.single, SINGLE]]) {
    if (expected === undefined) continue
    for (const [name, carrier] of Object.entries(carriers)) {
      const lines = added(carrier, headers, each)
      if (lines !== undefined) assert.deepEqual(lines, expected, `into ${name}`)
    }
  }
  if (each.dropped !== undefined) {
    const pairs = headers.dropped.map(({ name, reason }) => `${name} ${reason}`)
    assert.deepEqual(new Set(pairs), new Set(each.dropped.map((pair) => pair.join(' '))))
  }
  if (each.trace_id !== undefined) {
    assert.deepEqual([headers.requestId ?? null, headers.traceId ?? null], [each.request_id, each.trace_id])
  }
  if (each.explain !== undefined) {
    const rows = headers.explain(each.destination, each.outbound, each.default_user_agent ? ['user-agent'] : [])
    assert.deepEqual(rows.map(({ name, outcome, rule }) => [name, outcome, rule]), each.explain)
  }
}

/** The same with the headers of a message, which are read again: text stands for its UTF-8 bytes. */
function checkMessage(each, policy) {
  const { message: options, outbound = [], lines, single } = each
  for (const [expected, carriers] of [[lines, { pairs: MULTI.pairs }], [single, SINGLE]]) {
    if (expected === undefined) continue
    for (const [name, { make, read }] of Object.entries(carriers)) {
      const message = make(outbound)
      assert.equal(messages.inject(message, options), message)
      assert.deepEqual(read(message), [...outbound, ...expected.map(([name, value]) => [name, held(value)])], `into ${name}`)
      if (outbound.length === 0) {
        assert.deepEqual([...messages.extract(message, { propagator: policy })], expected, `from ${name}`)
        const through = JSON.parse(JSON.stringify(read(message)))
        assert.deepEqual([...messages.extract(through, { propagator: policy })], expected, `from ${name} through JSON`)
      }
    }
  }
  if (each.explain !== undefined) {
    const rows = messages.explain(Object.fromEntries(outbound), options)
    assert.deepEqual(rows.map(({ name, outcome, rule }) => [name, outcome, rule]), each.explain)
  }
}

function checkCapture(each, policy, headers) {
  if (each.message === undefined) return check(each, headers)
  if (each.dropped !== undefined) check({ dropped: each.dropped }, headers)
  run(headers, () => checkMessage(each, policy))
}

/** The headers beside the case's tracer, if it has one. */
function beside({ span }, headers) {
  if (span === undefined) return headers
  const { trace_id: traceId, span_id: spanId, sampled, trace_state: traceState } = span
  const context = { traceId, spanId, traceFlags: Number(sampled), traceState }
  const reparented = headers.withParent(context)
  // OpenTelemetry's trace state is an object.
  const serializable = headers.withParent({ ...context, traceState: traceState && { serialize: () => traceState } })
  assert.deepEqual([...reparented], [...serializable])
  return reparented
}

/** Whether the case says what forwarding by hand gives. */
const isByHand = ({ single, outbound = [], message, span }) =>
  single !== undefined && outbound.length === 0 && message === undefined && span === undefined

function held(value) {
  const bytes = Buffer.from(value, 'latin1')
  return isUtf8(bytes) ? bytes.toString('utf8') : bytes
}

/** The same, asked of the core. */
function checkCore(each, compiled) {
  let capture = compiled.extract((each.inbound ?? []).flat())
  if (each.span !== undefined) {
    const { trace_id: traceId, span_id: spanId, sampled, trace_state: traceState = '' } = each.span
    capture = capture.withParent(traceId, spanId, Number(sampled), traceState)
  }
  const outbound = (each.outbound ?? []).flat()
  const pairs = (flat) => flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1]]] : []))
  const defaults = each.default_user_agent ? ['user-agent'] : []
  const credentials = each.message?.credentials === true
  const inject = (repeats) => {
    if (each.message !== undefined) return pairs(capture.injectMessage(outbound, credentials, repeats))
    return pairs(capture.inject(each.destination, outbound, defaults, repeats))
  }
  if (each.lines !== undefined) assert.deepEqual(inject(true), each.lines, 'native, with repeats')
  if (each.single !== undefined) assert.deepEqual(inject(false), each.single, 'native, one value a name')
  if (each.dropped !== undefined) {
    const drops = pairs(capture.dropped()).map((pair) => pair.join(' '))
    assert.deepEqual(new Set(drops), new Set(each.dropped.map((pair) => pair.join(' '))), 'native drops')
  }
  if (each.explain !== undefined) {
    const rows = each.message === undefined
      ? capture.explain(each.destination, outbound, defaults)
      : capture.explainMessage(outbound, credentials)
    assert.deepEqual(rows.map(({ name, outcome, rule }) => [name, outcome, rule]), each.explain, 'native rows')
  }
}

const all = cases()

test('the vectors are all there', () => {
  assert.ok(all.length >= 437)
})

for (const each of all) {
  test(`${each.rule} ${each.group}: ${each.name}`, () => {
    if (each.error !== undefined) {
      assert.throws(() => propagator(each), (error) => {
        assert.ok(error instanceof OnwardError)
        assert.equal(error.code, each.error.kind)
        if (each.error.token !== undefined) assert.equal(error.token, each.error.token)
        return true
      })
      return
    }
    const policy = propagator(each)
    const compiled = core(each)
    if (each.policy !== undefined) {
      const { headers, prefixes } = compiled.plan()
      assert.deepEqual([...headers.map(({ name }) => name), ...prefixes.map(({ name }) => `${name}*`)], each.policy)
    }
    if (each.in_mesh !== undefined) {
      assert.equal(policy.inMesh(each.destination), each.in_mesh)
      assert.equal(policy.inMesh(each.destination), each.in_mesh, 'from the cache')
      assert.equal(compiled.inMesh(each.destination), each.in_mesh, 'native')
    }
    if (each.inbound === undefined) {
      if (each.message !== undefined) checkMessage(each, policy)
      else check(each, beside(each, current()))
      return
    }
    checkCore(each, compiled)
    for (const [name, make] of Object.entries(INBOUND)) {
      if (SORTED.has(name) && isPrefixed(each)) continue
      const carrier = make(each.inbound)
      if (carrier === undefined) continue
      try {
        checkCapture(each, policy, beside(each, policy.extract(carrier)))
        if (isByHand(each)) {
          assert.deepEqual(Object.entries(policy.getForwardHeaders(carrier, each.destination)), each.single)
        }
      } catch (error) {
        error.message = `from ${name}: ${error.message}`
        throw error
      }
    }
  })
}

test('requests that Node has parsed give the same, touched and untouched', async (t) => {
  const wire = all.filter(({ error, inbound }) => error === undefined && inbound?.length > 0 && inbound.every(isOnTheWire))
  // What steers the connection would end it.
  const steers = /^(host|connection|content-length|transfer-encoding|upgrade|expect|keep-alive|http2-settings)$/i
  const calm = wire.filter(({ inbound }) => !inbound.some(([name]) => steers.test(name)))
  const small = calm.filter(({ inbound }) => inbound.flat().join('').length < 60_000)
  assert.ok(small.length >= 150, `only ${small.length} cases can be sent`)
  const requests = await parsedRequests(t, small.map(({ inbound }) => inbound))
  for (const [i, each] of small.entries()) {
    for (const touched of [false, true]) {
      assert.ok(requests[i] instanceof http.IncomingMessage)
      if (touched) void requests[i].headers
      try {
        checkCapture(each, propagator(each), beside(each, propagator(each).extract(requests[i])))
        if (isByHand(each)) {
          assert.deepEqual(Object.entries(propagator(each).getForwardHeaders(requests[i], each.destination)), each.single)
        }
      } catch (error) {
        error.message = `${each.name}: ${error.message}`
        throw error
      }
    }
  }
})
