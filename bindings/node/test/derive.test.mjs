// A policy that differs from another: `derive`, and the same for a single handler or a framework's line.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import http from 'node:http'
import { fileURLToPath } from 'node:url'
import test from 'node:test'
import { createAdaptorServer } from '@hono/node-server'
import grpc from '@grpc/grpc-js'
import expressFramework from 'express'
import fastifyFramework from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'

import { OnwardError, Propagator, current, defaultPropagator, express, fastify, hono, koa, propagate } from '../index.mjs'
import { serverInterceptor } from '../grpc.mjs'
import { connect, metadata, serve, unary } from './grpc_servers.mjs'
import { listen } from './servers.mjs'

const SENT = { 'x-request-id': '7', 'cookie': 'a=b', 'x-tenant-id': 't' }
const CHANGES = { add: ['x-tenant-id'], remove: ['cookie'] }

test('what is derived adds to a policy, replaces its presets, and leaves it as it was', () => {
  const policy = new Propagator({ presets: ['w3c'], add: ['x-mine'], meshHosts: ['*.corp.com'] })
  const names = ['x-request-id', 'traceparent', 'tracestate', 'baggage']
  assert.deepEqual(policy.derive({ add: ['x-tenant-id'] }).names, [...names, 'x-mine', 'x-tenant-id'])
  assert.deepEqual(policy.derive({ remove: ['baggage', 'x-mine'] }).names, names.slice(0, 3))
  assert.deepEqual(policy.derive({ presets: ['xray'] }).names, ['x-request-id', 'x-amzn-trace-id', 'x-mine'])
  assert.deepEqual(policy.derive().names, [...names, 'x-mine'])
  assert.deepEqual(policy.names, [...names, 'x-mine'])

  const wider = policy.derive({ meshHosts: ['*.lab.com'] })
  const places = ['api.corp.com', 'api.lab.com'].map((host) => [policy.inMesh(host), wider.inMesh(host)])
  assert.deepEqual(places, [[true, true], [false, true]])
})

test('limits and trace destinations replace those of the policy', () => {
  const policy = new Propagator({ traceDestinations: 'mesh', maxBytes: 20 })
  const sent = { 'x-request-id': '7f6c', 'cookie': 'of-twenty-characters' }
  const outside = (propagator) => propagator.getForwardHeaders(sent, 'https://api.example.com/')
  assert.deepEqual(outside(policy), {})
  assert.deepEqual(outside(policy.derive({ traceDestinations: 'all' })), { 'x-request-id': '7f6c' })
  assert.deepEqual(policy.getForwardHeaders(sent), { 'x-request-id': '7f6c' })
  assert.deepEqual(policy.derive({ maxBytes: 100 }).getForwardHeaders(sent), sent)
})

test('what is removed need not be there: the environment may have removed it already', () => {
  const policy = Propagator.fromEnv({ ONWARD_HEADERS: '-cookie' })
  assert.deepEqual(policy.derive({ remove: ['cookie', 'x-never'] }).names, policy.names)
  // Negative control: a policy from code says so.
  assert.throws(() => new Propagator({ remove: ['x-never'] }), { code: 'nothing_to_remove', token: 'x-never' })
})

test('a mistake in what is derived is an error that names it', () => {
  const derive = (changes) => () => defaultPropagator().derive(changes)
  const mistakes = [
    [{ presets: ['istoi'] }, 'unknown_preset', 'istoi'],
    [{ add: ['Host'] }, 'refused_header', 'Host'],
    [{ remove: 'cookie' }, 'invalid_argument', 'remove'],
    [{ except: ['cookie'] }, 'invalid_argument', 'except'],
    [{ traceDestinations: 'none' }, 'invalid_trace_destinations', 'none']
  ]
  for (const [changes, code, token] of mistakes) {
    assert.throws(derive(changes), (error) => error instanceof OnwardError && error.code === code && error.token === token, token)
  }
})

/** What is in scope in a handler, by what covers it with `options`. */
const COVERED = {
  'propagate': (t, options) => listen(t, http.createServer(propagate((_, response) => response.end(seen()), options))),
  'Express': (t, options) => listen(t, http.createServer(expressFramework().use(express(options), (_, response) => response.end(seen())))),
  'Fastify': async (t, options) => {
    const app = fastifyFramework()
    await app.register(fastify, { ...options, prefix: '/ignored' })
    app.get('/', async () => seen())
    await app.listen({ port: 0, host: '127.0.0.1' })
    t.after(() => app.close())
    return app.server.address().port
  },
  'Koa': (t, options) => {
    const app = new Koa().use(koa(options)).use((context) => {
      context.body = seen()
    })
    return listen(t, http.createServer(app.callback()))
  },
  'Hono': (t, options) => {
    const app = new Hono().use(hono(options)).get('/', (context) => context.text(seen()))
    return listen(t, createAdaptorServer({ fetch: app.fetch }))
  }
}

const seen = () => JSON.stringify([...current()])

for (const [name, start] of Object.entries(COVERED)) {
  test(`${name} takes changes of the policy`, async (t) => {
    const ask = async (options) => (await fetch(`http://127.0.0.1:${await start(t, options)}/`, { headers: SENT })).json()
    const names = (lines) => lines.map(([each]) => each).filter((each) => each in SENT)
    assert.deepEqual(names(await ask(CHANGES)), ['x-request-id', 'x-tenant-id'])
    assert.deepEqual(names(await ask({ ...CHANGES, propagator: new Propagator({ presets: ['w3c'] }) })), ['x-request-id', 'x-tenant-id'])
    assert.deepEqual(names(await ask({ presets: ['w3c'] })), ['x-request-id'])
    assert.deepEqual(names(await ask({})), ['x-request-id', 'cookie'])
  })
}

test('gRPC takes changes of the policy', async (t) => {
  const methods = { unary: (_, answer) => answer(null, seen()) }
  const ask = async (options) => {
    const port = await serve(t, methods, { interceptors: [serverInterceptor(options)] })
    return JSON.parse(await unary(connect(t, `127.0.0.1:${port}`), 'hello', metadata(Object.entries(SENT))))
  }
  const changed = [['x-request-id', '7'], ['x-tenant-id', 't']]
  assert.deepEqual((await ask(CHANGES)).filter(([name]) => name in SENT), changed)
  assert.deepEqual((await ask()).filter(([name]) => name in SENT), [['x-request-id', '7'], ['cookie', 'a=b']])
  assert.throws(() => serverInterceptor({ except: ['cookie'] }), { code: 'invalid_argument', token: 'except' })
})

test('the changes are of the process\'s policy, which is read when the handler is made', () => {
  const script = `
    const onward = require(${JSON.stringify(fileURLToPath(new URL('..', import.meta.url)))})
    process.env.ONWARD_HEADERS = '-end-user'
    const handler = onward.propagate((headers) => [...onward.current()].map(([name]) => name), { remove: ['cookie'] })
    console.log(handler({ headers: { 'x-request-id': '7', cookie: 'a', jwt: 'b', 'end-user': 'c' } }).join())`
  assert.equal(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }), 'x-request-id,jwt\n')
})
