import assert from 'node:assert/strict'
import http from 'node:http'
import test, { after, before } from 'node:test'
import { once } from 'node:events'
import { serve } from '@hono/node-server'
import expressFramework from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'

import * as onward from '../index.mjs'
import { echo, listen, valuesOf } from './servers.mjs'

const INBOUND = {
  'x-request-id': 'a-1',
  'traceparent': '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  'tracestate': 'es=s:1',
  'cookie': 'session=secret',
  'end-user': 'jason',
  'user-agent': 'Mozilla/5.0',
  'x-not-listed': 'stays'
}
const headers = onward.extract(INBOUND)

before(() => onward.instrument())
after(() => onward.uninstrument())

const body = async (message) => {
  let text = ''
  for await (const chunk of message) text += chunk
  return JSON.parse(text)
}
const answer = (request) => new Promise((resolve, reject) => request.on('response', (r) => resolve(body(r))).on('error', reject))

function assertForwarded(lines) {
  for (const name of Object.keys(INBOUND)) {
    const expected = name === 'x-not-listed' ? [] : [INBOUND[name]]
    assert.deepEqual(valuesOf(lines, name), expected, name)
  }
}

const FRAMEWORKS = {
  'node:http': async (t, handle) => listen(t, http.createServer(onward.propagate(async (req, res) => res.end(JSON.stringify(await handle(req)))))),
  'Express': async (t, handle) => {
    const app = expressFramework()
    app.use(onward.express())
    app.get('/', async (req, res) => res.json(await handle(req)))
    return listen(t, http.createServer(app))
  },
  'Express, one handler': async (t, handle) => {
    const app = expressFramework()
    app.get('/', onward.propagate(async (req, res) => res.json(await handle(req))))
    return listen(t, http.createServer(app))
  },
  'Fastify': async (t, handle) => {
    const app = fastify()
    app.get('/', onward.propagate(async (request) => handle(request)))
    await app.listen({ port: 0, host: '127.0.0.1' })
    t.after(() => app.close())
    return app.server.address().port
  },
  'Fastify, hook': async (t, handle) => {
    const app = fastify()
    app.addHook('onRequest', onward.express())
    app.get('/', async (request) => handle(request))
    await app.listen({ port: 0, host: '127.0.0.1' })
    t.after(() => app.close())
    return app.server.address().port
  },
  'Fastify, plugin': async (t, handle) => {
    const app = fastify()
    await app.register(onward.fastify)
    app.get('/', async (request) => handle(request))
    await app.listen({ port: 0, host: '127.0.0.1' })
    t.after(() => app.close())
    return app.server.address().port
  },
  'Koa': async (t, handle) => {
    const app = new Koa()
    app.use(onward.koa())
    app.use(async (ctx) => {
      ctx.body = await handle(ctx)
    })
    return listen(t, http.createServer(app.callback()))
  },
  'Koa request': async (t, handle) => {
    const app = new Koa()
    app.use((ctx) => onward.run(ctx.request, async () => {
      ctx.body = await handle(ctx.request)
    }))
    return listen(t, http.createServer(app.callback()))
  },
  'Hono': async (t, handle) => {
    const app = new Hono()
    app.get('/', onward.propagate(async (c) => c.json(await handle(c))))
    return honoPort(t, app)
  },
  'Hono, middleware': async (t, handle) => {
    const app = new Hono()
    app.use(onward.hono())
    app.get('/', async (c) => c.json(await handle(c)))
    return honoPort(t, app)
  },
  'Hono request': async (t, handle) => {
    const app = new Hono()
    app.get('/', (c) => onward.run(c.req, async () => c.json(await handle(c.req))))
    return honoPort(t, app)
  },
  'Fetch Request': async (t, handle) => {
    const app = new Hono()
    app.get('/', (c) => onward.propagate(async (request) => Response.json(await handle(request)))(c.req.raw))
    return honoPort(t, app)
  }
}

async function honoPort(t, app) {
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
  t.after(() => new Promise((resolve) => server.close(resolve)))
  await once(server, 'listening')
  return server.address().port
}

test('explain without a carrier tells of the request that is being handled, and of nothing outside one', () => {
  const rows = onward.run(headers, () => onward.explain(undefined, 'https://api.example.com/'))
  assert.deepEqual(rows.filter(({ outcome }) => outcome === 'forwarded').map(({ name }) => name), ['x-request-id', 'traceparent', 'tracestate'])
  assert.deepEqual(rows.filter(({ outcome }) => outcome === 'held_back').map(({ name }) => name), ['end-user', 'user-agent', 'cookie'])
  assert.deepEqual(onward.explain(), [])
})

for (const [name, start] of Object.entries(FRAMEWORKS)) {
  test(`${name}: its request is read, and its handler's calls forward`, async (t) => {
    const upstream = await listen(t, echo())
    const port = await start(t, async (request) => ({
      byHand: onward.getForwardHeaders(request),
      outside: onward.getForwardHeaders(request, 'https://api.example.com/'),
      byFetch: await (await fetch(`http://127.0.0.1:${upstream}/`)).json(),
      byHttp: await answer(http.get(`http://127.0.0.1:${upstream}/`))
    }))
    const lines = await answer(http.get(`http://127.0.0.1:${port}/`, { headers: INBOUND, agent: false }))
    const { 'x-not-listed': _, ...forwarded } = INBOUND
    assert.deepEqual(lines.byHand, forwarded)
    assert.deepEqual(Object.keys(lines.outside), ['x-request-id', 'traceparent', 'tracestate'])
    assertForwarded(lines.byFetch)
    assertForwarded(lines.byHttp)
  })
}
