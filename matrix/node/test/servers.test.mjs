// Every framework on a real server, asked by real requests: in each of its ways to read a body, to answer and to fail, the
// handler's call carries the headers of its request.

import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import http from 'node:http'
import { text } from 'node:stream/consumers'
import test, { after, before } from 'node:test'
import Koa from 'koa'
import * as onward from 'onward'

import { ask } from '../ask.mjs'
import { Echo } from '../echo.mjs'
import { Expected, LINES, joined, relevant } from '../inbound.mjs'
import { application as hapi } from '../servers/hapi.mjs'
import { ALL } from '../servers/index.mjs'
import { listening, streamed } from '../servers/server.mjs'

const EVERYTHING = joined(Expected.ALL)
const NOTHING = new Map()
// Beside the routes that all of them have. What is left out, a framework does not have in a form of its own.
const STREAMED = '/middleware/streamed'
const FAILED = '/middleware/failed'
const FINISHED = '/middleware/finished'
const BODY = '/middleware/body'
const UPLOAD = '/middleware/upload'
const ROUTES = {
  'node:http': [STREAMED, FINISHED, BODY, UPLOAD],
  'Express 4': [STREAMED, FAILED, FINISHED, BODY, UPLOAD],
  'Express 5': [STREAMED, FAILED, FINISHED, BODY, UPLOAD],
  'Fastify': [STREAMED, FAILED, FINISHED, BODY, UPLOAD],
  'Koa': [FAILED, FINISHED, BODY, UPLOAD],
  'Hapi': [STREAMED, FAILED, FINISHED, BODY, UPLOAD],
  'Nest on Express': [STREAMED, FAILED, BODY, UPLOAD],
  'Nest on Fastify': [STREAMED, FAILED, BODY, UPLOAD],
  'Hono': [STREAMED, FAILED, FINISHED, BODY, UPLOAD],
  'Fetch handler': [STREAMED, BODY, UPLOAD],
  'node:http2': [STREAMED, FINISHED],
  'node:http2, streams': []
}
const SERVERS = ALL.filter(({ name }) => name in ROUTES)

let echo
const calls = new EventEmitter()

before(async () => {
  echo = await Echo.start()
  onward.instrument()
})
after(async () => {
  onward.uninstrument()
  await echo.close()
})

/** The client of all handlers; tells which calls are done. */
async function call(url) {
  const answer = await (await fetch(url)).text()
  calls.emit(url)
  return answer
}

async function started(t, server) {
  const running = await server.start(call)
  t.after(() => running.close())
  return running.port
}

async function post(port, path, type, body) {
  const headers = ['host', 'service', 'content-type', type, 'content-length', body.length, ...LINES.flat()]
  const request = http.request({ port, host: '127.0.0.1', path, method: 'POST', headers, agent: false })
  const [response] = await once(request.end(body), 'response')
  const answer = await text(response)
  assert.ok(response.statusCode < 300, `${response.statusCode}: ${answer}`)
  return answer
}

// Bodies do not fit into one read of a socket, so that most of each comes when the handler has been called, and in the
// context of the connection.
const json = (to) => ['application/json', Buffer.from(JSON.stringify({ to }) + ' '.repeat(90_000))]

async function form(to) {
  const data = new FormData()
  data.set('to', to)
  data.set('file', new Blob(['x'.repeat(300_000)]), 'file.txt')
  const response = new Response(data)
  return [response.headers.get('content-type'), Buffer.from(await response.arrayBuffer())]
}

async function send(server, port, route, url) {
  if (route === BODY) return post(port, route, ...json(url))
  if (route === UPLOAD) return post(port, route, ...await form(url))
  return ask(server.speaks, port, route, url)
}

function arrived(visit) {
  const lines = echo.arrived(visit)
  assert.notEqual(lines, undefined, 'the handler has made no call')
  return joined(relevant(lines))
}

test('every server of the matrix that speaks HTTP is in this test', () => {
  assert.deepEqual(ALL.filter(({ speaks }) => speaks !== 'grpc').map(({ name }) => name), Object.keys(ROUTES))
})

for (const server of SERVERS) {
  test(`${server.name}: every kind of handler forwards all headers`, async (t) => {
    const port = await started(t, server)
    for (const route of ['/attribute', '/middleware', ...ROUTES[server.name]]) {
      await t.test(route, async () => {
        const visit = echo.visit()
        const done = once(calls, visit.url())
        const answer = await send(server, port, route, visit.url())
        assert.equal(answer.trim(), route === FINISHED ? 'later' : visit.answer())
        await done
        assert.deepEqual(arrived(visit), EVERYTHING)
      })
    }
  })

  test(`${server.name}: without Onward's line nothing is forwarded`, async (t) => {
    const port = await started(t, server)
    const visit = echo.visit()
    assert.equal(await ask(server.speaks, port, '/bare', visit.url()), visit.answer())
    assert.deepEqual(arrived(visit), NOTHING)
  })

  test(`${server.name}: getForwardHeaders reads its request`, async (t) => {
    const port = await started(t, server)
    const headers = JSON.parse(await ask(server.speaks, port, '/explicit', 'http://ratings/'))
    assert.deepEqual(joined(Object.entries(headers)), EVERYTHING)
  })
}

for (const server of SERVERS.filter(({ speaks }) => speaks === undefined)) {
  test(`${server.name}: the next request on a connection does not get the headers of the one before`, async (t) => {
    const port = await started(t, server)
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    t.after(() => agent.destroy())
    const sockets = new Set()
    for (const [route, headers, expected] of [
      ['/middleware', { jwt: 'first' }, 'first'],
      ['/middleware/failed', { jwt: 'second' }, 'second'],
      ['/middleware', {}, undefined],
      ['/attribute', { jwt: 'third' }, 'third'],
      ['/bare', {}, undefined]
    ]) {
      if (route.endsWith('/failed') && !ROUTES[server.name].includes(route)) continue
      const visit = echo.visit()
      const path = `${route}?${new URLSearchParams({ to: visit.url() })}`
      const request = http.get({ port, host: '127.0.0.1', path, headers, agent })
      const [response] = await once(request, 'response')
      sockets.add(request.socket)
      assert.equal(await text(response), visit.answer())
      assert.equal(arrived(visit).get('jwt'), expected, route)
    }
    assert.equal(sockets.size, 1)
  })
}

for (const server of SERVERS.filter(({ speaks }) => speaks === undefined)) {
  test(`${server.name}: of many requests at once over a few connections, none gets the headers of another`, async (t) => {
    const port = await started(t, server)
    const agent = new http.Agent({ keepAlive: true, maxSockets: 5 })
    t.after(() => agent.destroy())
    await Promise.all(Array.from({ length: 60 }, async (_, i) => {
      const visit = echo.visit()
      const isPost = i % 3 === 0
      const path = isPost ? BODY : `${i % 3 === 1 ? '/middleware' : '/attribute'}?${new URLSearchParams({ to: visit.url() })}`
      const headers = { 'x-request-id': `request-${i}`, ...(i % 2 === 0 && { jwt: `token-${i}` }), ...(isPost && { 'content-type': 'application/json' }) }
      const request = http.request({ port, host: '127.0.0.1', path, headers, agent, method: isPost ? 'POST' : 'GET' })
      const [response] = await once(request.end(isPost ? JSON.stringify({ to: visit.url() }) : undefined), 'response')
      assert.equal(await text(response), visit.answer())
      const lines = arrived(visit)
      assert.deepEqual([lines.get('x-request-id'), lines.get('jwt')], [`request-${i}`, i % 2 === 0 ? `token-${i}` : undefined])
    }))
  })
}

test('Hapi: a request that is injected has its headers in scope, and leaves nothing behind', async () => {
  const server = await hapi(call, onward.hapi)
  const visit = echo.visit()
  const { payload } = await server.inject({ url: `/middleware?to=${visit.url()}`, headers: { jwt: 'a' } })
  assert.equal(payload, visit.answer())
  assert.equal(arrived(visit).get('jwt'), 'a')
  assert.equal(onward.current().size, 0)
})

test('Koa: propagate around the callback covers what runs when the middleware is done', async (t) => {
  const app = new Koa()
  let to
  app.use((context) => {
    to = context.query.to
    if (context.path === '/failed') throw new Error('failed')
    context.body = streamed(() => call(to))
  })
  app.on('error', () => call(to))
  for (const [callback, expected] of [[onward.propagate(app.callback()), 'a'], [app.callback(), undefined]]) {
    const running = await listening(http.createServer(callback))
    t.after(() => running.close())
    for (const route of ['/streamed', '/failed']) {
      const visit = echo.visit()
      const done = once(calls, visit.url())
      await fetch(`http://127.0.0.1:${running.port}${route}?to=${visit.url()}`, { headers: { jwt: 'a' } }).then((answer) => answer.text())
      await done
      assert.equal(arrived(visit).get('jwt'), expected, route)
    }
  }
})
