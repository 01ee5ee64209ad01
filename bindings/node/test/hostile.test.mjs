import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import http from 'node:http'
import test from 'node:test'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import express from 'express'

import * as onward from '../index.mjs'
import { listen, parsedRequests } from './servers.mjs'

const require = createRequire(import.meta.url)
const native = require('../lib/native')
const { checked } = require('../lib/errors')

const isOnwardError = (code, token) => (error) => {
  assert.ok(error instanceof onward.OnwardError, String(error))
  assert.ok(error instanceof Error)
  assert.equal(error.code, code)
  if (token !== undefined) assert.equal(error.token, token)
  return true
}

const throwing = () => {
  throw new Error('hostile')
}
const trap = new Proxy({}, { get: throwing, ownKeys: throwing, getPrototypeOf: throwing, has: throwing })

test('what holds no headers is an error that says what to pass', () => {
  for (const carrier of [undefined, null, 1, 'x-request-id: a', true, Symbol('a'), () => {}, 10n]) {
    assert.throws(() => onward.getForwardHeaders(carrier), isOnwardError('unsupported_carrier'))
    assert.throws(() => onward.extract(carrier), isOnwardError('unsupported_carrier'))
    assert.throws(() => onward.extract(carrier), (error) => !('cause' in error), 'no cause is printed where there is none')
    assert.throws(() => onward.extract({ jwt: 'a' }).inject(carrier), isOnwardError('unsupported_carrier'))
  }
})

test('carriers that throw are an error, with the cause', () => {
  const hostile = [
    trap,
    { get jwt() { throw new Error('hostile') } },
    { get headers() { throw new Error('hostile') } },
    { get rawHeaders() { throw new Error('hostile') } },
    { rawHeaders: new Proxy([], { get: throwing }) },
    [['jwt', 'a'], trap],
    { [Symbol.iterator]: throwing },
    { forEach: throwing, get() {} }
  ]
  for (const carrier of hostile) {
    assert.throws(() => onward.getForwardHeaders(carrier), (error) => {
      isOnwardError('unsupported_carrier')(error)
      return true
    })
  }
})

test('what headers are written to and throws is an error, with the cause', () => {
  const headers = onward.extract({ 'x-request-id': 'a', jwt: 'b' })
  const hostile = [
    trap,
    Object.freeze({}),
    Object.freeze([]),
    new Proxy({}, { ownKeys: throwing }),
    new Proxy({}, { defineProperty: throwing }),
    [null, 1],
    { setHeader: throwing, getHeaderNames: throwing },
    { append: throwing, forEach: throwing }
  ]
  for (const carrier of hostile) assert.throws(() => headers.inject(carrier), isOnwardError('unsupported_carrier'))
  assert.throws(() => headers.explain('http://reviews/', trap), isOnwardError('unsupported_carrier'))
  assert.throws(() => headers.inject(trap), ({ cause }) => cause.message === 'hostile')
  assert.deepEqual(headers.inject({}), { 'x-request-id': 'a', jwt: 'b' })
})

test('values that are no Latin-1 text are dropped, and counted', () => {
  const carriers = [
    { jwt: '\u20ac' },
    { jwt: '\ud800' },
    { jwt: Symbol('a') },
    { jwt: {} },
    { jwt: () => {} },
    { jwt: [['nested']] },
    [['jwt', '\u0100']],
    { rawHeaders: ['jwt', 'a\udfff'] },
    { rawHeaders: ['jwt', {}] }
  ]
  for (const carrier of carriers) {
    const headers = onward.extract(carrier)
    assert.deepEqual(headers.dropped, [{ name: 'jwt', reason: 'not_latin1' }])
    assert.equal(headers.droppedCount, 1)
    assert.deepEqual(headers.toObject(), {})
    const [row] = headers.explain()
    assert.deepEqual([row.outcome, row.rule, row.reason], ['dropped', 'R10', 'its value is no Latin-1 text'])
  }
})

test('numbers, bytes, null and undefined as values do what one expects', () => {
  const carrier = { 'x-request-id': 7, 'jwt': Buffer.from([0x61, 0xe9]), 'cookie': null, 'end-user': undefined, 'b3': [1, '2'] }
  assert.deepEqual([...onward.extract(carrier)], [['x-request-id', '7'], ['jwt', 'a\u00e9'], ['b3', '1'], ['b3', '2']])
})

test('names that are no strings, or odd, are passed over', () => {
  const carrier = { [Symbol('jwt')]: 'a', '': 'b', 'x y': 'c', '\u212aey': 'd', 'jwt\u0000': 'e' }
  assert.deepEqual(onward.getForwardHeaders(carrier), {})
  assert.deepEqual(onward.getForwardHeaders([[1, 'a'], [null, 'b'], [undefined], [], ['jwt']]), {})
})

test('properties that are inherited are not headers', () => {
  assert.deepEqual(onward.getForwardHeaders(Object.create({ jwt: 'a' })), {})
  assert.deepEqual(onward.getForwardHeaders(Object.assign(Object.create(null), { jwt: 'a' })), { jwt: 'a' })
})

test('a polluted Object.prototype adds no header', () => {
  Object.prototype.jwt = 'polluted'
  try {
    assert.deepEqual(onward.getForwardHeaders({ cookie: 'a' }), { cookie: 'a' })
    const headers = onward.extract({ cookie: 'a' })
    assert.deepEqual([...headers], [['cookie', 'a']])
    assert.deepEqual(Object.keys(headers.toObject()), ['cookie'])
  } finally {
    delete Object.prototype.jwt
  }
})

test('__proto__ as a header is an own property, and sets no prototype', () => {
  for (const add of ['__proto__', '__*', 'constructor']) {
    const propagator = new onward.Propagator({ add: [add] })
    const name = add === '__*' ? '__proto__' : add
    const result = propagator.getForwardHeaders([[name, 'x'], ['jwt', 'a']])
    assert.equal(Object.getPrototypeOf(result), Object.prototype)
    assert.deepEqual(Object.entries(result).sort(), [[name, 'x'], ['jwt', 'a']].sort())
    assert.deepEqual([...propagator.extract([[name, 'x']])], [[name, 'x']])
  }
  assert.equal({}.x, undefined)
})

test('names that look like array indices keep their order as lines', () => {
  const propagator = new onward.Propagator({ add: ['7', '1*'] })
  const lines = [...propagator.extract([['12', 'c'], ['7', 'b'], ['jwt', 'a']])]
  assert.deepEqual(lines, [['jwt', 'a'], ['7', 'b'], ['12', 'c']])
})

test('ten megabytes are dropped, and what is beside them goes on', () => {
  const headers = onward.extract({ 'cookie': 'a'.repeat(10_000_000), 'x-request-id': 'b' })
  assert.deepEqual(headers.toObject(), { 'x-request-id': 'b' })
  assert.deepEqual(headers.dropped, [{ name: 'cookie', reason: 'too_large' }])
})

test('a hundred thousand lines are read', () => {
  const pairs = Array.from({ length: 100_000 }, (_, i) => [`x-canary-${i}`, 'v'])
  const headers = new onward.Propagator({ add: ['x-canary-*'] }).extract([...pairs, ['x-request-id', 'a']])
  assert.equal(headers.size, 65)
  assert.equal(headers.droppedCount, 99_936)
})

test('a server with a lenient parser lets control characters in, and none goes on', async (t) => {
  const [request] = await parsedRequests(t, [[['jwt', 'a\u0000b'], ['end-user', 'c\u0001'], ['x-request-id', 'd']]], {
    insecureHTTPParser: true
  })
  assert.ok(request.rawHeaders.includes('a\u0000b'))
  assert.deepEqual(onward.getForwardHeaders(request), { 'x-request-id': 'd' })
  assert.equal(onward.extract(request).droppedCount, 2)
})

test('a request that nobody has parsed is not trusted', () => {
  const request = new http.IncomingMessage(null)
  request.rawHeaders = ['jwt', 'a\r\nevil: b', 'x-request-id', 'c']
  assert.deepEqual(onward.getForwardHeaders(request), { 'x-request-id': 'c' })
})

test('destinations that are none are outside, and things that are no text an error', () => {
  const propagator = new onward.Propagator()
  for (const text of ['', ' ', 'http://', 'http://reviews\\@evil.com/', '\ud800', 'a'.repeat(100_000), 'http://reviews\u0000/']) {
    assert.equal(propagator.inMesh(text), false, JSON.stringify(text.slice(0, 40)))
  }
  for (const value of [null, 1, {}, Symbol('a')]) {
    assert.throws(() => onward.extract({ jwt: 'a' }).toObject(value), isOnwardError('invalid_argument'))
  }
  assert.equal(propagator.inMesh(new URL('http://reviews:9080/')), true)
})

test('a million calls leave nothing behind', () => {
  const grown = (...args) => {
    const flags = ['--expose-gc', fileURLToPath(new URL('memory.mjs', import.meta.url)), ...args]
    return JSON.parse(execFileSync(process.execPath, flags, { encoding: 'utf8' }))
  }
  const { heap, rss } = grown('1000000')
  // Of 800,000 calls: less than 5 bytes each, and less than 42 in the whole process, which keeps some of what it has freed.
  assert.ok(heap < 4_000_000, `${heap} bytes in the heap`)
  assert.ok(rss < 32_000_000, `${rss} bytes in the process`)
  const leaking = grown('100000', 'leak')
  assert.ok(leaking.heap > 4_000_000, `${leaking.heap} bytes in the heap`)
})

test('the memory of destinations is bounded, and forgets without a mistake', () => {
  const propagator = new onward.Propagator()
  for (let i = 0; i < 5000; i++) assert.equal(propagator.inMesh(`http://host-${i}.example.com/`), false)
  for (let i = 0; i < 5000; i++) assert.equal(propagator.inMesh(`http://host-${i}/`), true)
})

test('options that are wrong are an error that names them', () => {
  const build = (options) => () => new onward.Propagator(options)
  assert.throws(build({ preset: ['istio'] }), isOnwardError('invalid_argument', 'preset'))
  assert.throws(build({ presets: 'istio' }), isOnwardError('invalid_argument', 'presets'))
  assert.throws(build({ add: [1] }), isOnwardError('invalid_argument', 'add'))
  assert.throws(build(null), isOnwardError('invalid_argument', 'options'))
  assert.throws(build({ traceDestinations: 1 }), isOnwardError('invalid_argument', 'traceDestinations'))
  for (const limit of [-1, 1.5, NaN, Infinity, '7', 2n]) {
    assert.throws(build({ maxBytes: limit }), isOnwardError('invalid_limit', String(limit)))
  }
})

test('an option that does not exist is an error that names it, wherever options are taken', () => {
  const takers = {
    propagate: (options) => onward.propagate(() => {}, options),
    express: (options) => onward.express(options),
    koa: (options) => onward.koa(options),
    hono: (options) => onward.hono(options),
    hapi: (options) => onward.hapi.register({}, options),
    instrument: (options) => onward.instrument(options)
  }
  for (const [name, take] of Object.entries(takers)) {
    assert.throws(() => take({ except: ['cookie'] }), isOnwardError('invalid_argument', 'except'), name)
    assert.throws(() => take('requests'), isOnwardError('invalid_argument', 'options'), name)
  }
  const { instrument, ...servers } = takers
  for (const [name, take] of Object.entries(servers)) {
    assert.throws(() => take({ propagator: {} }), isOnwardError('invalid_argument', 'propagator'), name)
    assert.throws(() => take({ propagator: null }), isOnwardError('invalid_argument', 'propagator'), name)
  }
})

test('a middleware that nobody has made says how it is made, and does not leave the request hanging', async (t) => {
  const app = express()
  app.use(onward.express)
  app.use((error, request, response, next) => response.status(500).send(error.message))
  const response = await fetch(`http://127.0.0.1:${await listen(t, http.createServer(app))}/`)
  assert.equal(await response.text(), '`onward.express` returns the middleware; write `app.use(onward.express())`')
  for (const [name, context] of [['koa', { req: { headers: {} } }], ['hono', { req: { raw: new Request('http://a/') } }]]) {
    assert.throws(() => onward[name](context, () => {}), isOnwardError('invalid_argument', name))
  }
})

test('every kind of mistake in a policy is an OnwardError with its code and token', () => {
  const mistakes = {
    unknown_preset: [() => new onward.Propagator({ presets: ['istoi'] }), 'istoi'],
    invalid_header_name: [() => new onward.Propagator({ add: ['x tenant'] }), 'x tenant'],
    refused_header: [() => new onward.Propagator({ add: ['Host'] }), 'Host'],
    invalid_prefix: [() => new onward.Propagator({ add: ['*'] }), '*'],
    nothing_to_remove: [() => new onward.Propagator({ remove: ['x-none'] }), 'x-none'],
    missing_sign: [() => onward.Propagator.fromEnv({ ONWARD_HEADERS: 'x-tenant' }), 'x-tenant'],
    empty_token: [() => onward.Propagator.fromEnv({ ONWARD_PRESETS: 'istio,,w3c' }), 'istio,,w3c'],
    invalid_mesh_host: [() => new onward.Propagator({ meshHosts: ['http://a/b'] }), 'http://a/b'],
    invalid_trace_destinations: [() => new onward.Propagator({ traceDestinations: 'none' }), 'none'],
    invalid_limit: [() => new onward.Propagator({ maxBytes: 0 }), '0'],
    default_already_set: [() => {
      onward.defaultPropagator()
      onward.setDefault(new onward.Propagator())
    }, 'setDefault']
  }
  assert.deepEqual(native.policyErrorCodes().sort(), Object.keys(mistakes).sort())
  for (const [code, [mistake, token]] of Object.entries(mistakes)) assert.throws(mistake, isOnwardError(code, token))
})

test('a panic in native code is an error, and the process lives on', () => {
  assert.throws(() => checked(native.forcePanic()), isOnwardError('panic'))
  assert.deepEqual(onward.getForwardHeaders({ jwt: 'a' }), { jwt: 'a' })
})

test('values do not show when headers are printed', () => {
  const text = require('node:util').inspect({ headers: onward.extract({ authorization: 'Bearer secret' }) })
  assert.match(text, /authorization/)
  assert.doesNotMatch(text, /secret/)
  assert.doesNotMatch(JSON.stringify(onward.extract({ authorization: 'Bearer secret' })), /secret/)
})

test('a mistake in the environment shows at the first use, not at import, and never in an ambient function', () => {
  const script = `
    const onward = require('./index.js')
    if (onward.current().size !== 0) process.exit(1)
    for (const use of [() => onward.instrument(), () => onward.propagate(() => {}), () => onward.getForwardHeaders({})]) {
      try { use(); process.exit(2) } catch (error) { if (error.code !== 'missing_sign') process.exit(3) }
    }
    console.log('done')`
  const cwd = new URL('..', import.meta.url)
  const env = { ...process.env, ONWARD_HEADERS: 'x-tenant' }
  assert.equal(execFileSync(process.execPath, ['-e', script], { cwd, env, encoding: 'utf8' }), 'done\n')
})

test('a platform without a binary is named in the error', () => {
  const script = `
    Object.defineProperty(process, 'platform', { value: 'plan9' })
    try { require('./index.js') } catch (error) { console.log(error.code, error.token, error.message.includes('plan9')) }`
  const cwd = new URL('..', import.meta.url)
  const said = execFileSync(process.execPath, ['-e', script], { cwd, encoding: 'utf8' })
  assert.equal(said, `unsupported_platform plan9-${process.arch} true\n`)
})
