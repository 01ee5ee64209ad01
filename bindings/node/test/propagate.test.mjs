import assert from 'node:assert/strict'
import http from 'node:http'
import https from 'node:https'
import dns from 'node:dns'
import { PassThrough } from 'node:stream'
import test, { after, before } from 'node:test'
import { once } from 'node:events'
import { request as importedRequest, get as importedGet } from 'node:http'
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

test('every form of http.request and http.get forwards, each header once', async (t) => {
  const port = await listen(t, echo())
  const url = `http://127.0.0.1:${port}/path`
  const options = { host: '127.0.0.1', port, path: '/path' }
  const forms = {
    'request(string)': () => answer(http.request(url).end()),
    'request(URL)': () => answer(http.request(new URL(url)).end()),
    'request(options)': () => answer(http.request(options).end()),
    'request(string, options)': () => answer(http.request(url, { method: 'GET' }).end()),
    'request(string, callback)': () => new Promise((resolve) => http.request(url, (r) => resolve(body(r))).end()),
    'request(string, options, callback)': () => new Promise((resolve) => http.request(url, {}, (r) => resolve(body(r))).end()),
    'request(options, callback)': () => new Promise((resolve) => http.request(options, (r) => resolve(body(r))).end()),
    'get(string)': () => answer(http.get(url)),
    'get(URL, callback)': () => new Promise((resolve) => http.get(new URL(url), (r) => resolve(body(r)))),
    'get(options)': () => answer(http.get(options)),
    'imported request': () => answer(importedRequest(url).end()),
    'imported get': () => answer(importedGet(url)),
    'new ClientRequest': () => answer(new http.ClientRequest(url).end()),
    'headers as a flat array': () => answer(http.get(url, { headers: ['accept', '*/*', 'host', 'a'] })),
    'headers as pairs': () => answer(http.get(url, { headers: [['accept', '*/*'], ['host', 'a']] })),
    'without any header': () => answer(http.get(url, { setHost: false, headers: { host: 'a' }, agent: false })),
    'flushed headers': () => {
      const request = http.request(url, { method: 'POST' })
      request.flushHeaders()
      return answer(request.end())
    },
    'a body in pieces': () => {
      const request = http.request(url, { method: 'POST' })
      request.write('a')
      return answer(request.end('b'))
    },
    'expect: 100-continue': () => {
      const request = http.request(url, { method: 'POST', headers: { Expect: '100-continue' } })
      request.on('continue', () => request.end('x'))
      return answer(request)
    }
  }
  for (const [form, send] of Object.entries(forms)) {
    await t.test(form, async () => assertForwarded(await onward.run(headers, send)))
  }
})

test('every form of fetch forwards, each header once, and replaces its own user-agent', async (t) => {
  const port = await listen(t, echo())
  const url = `http://127.0.0.1:${port}/path`
  const forms = {
    'fetch(string)': () => fetch(url),
    'fetch(URL)': () => fetch(new URL(url)),
    'fetch(Request)': () => fetch(new Request(url)),
    'fetch(Request, init)': () => fetch(new Request(url), { method: 'POST', body: 'x' }),
    'fetch(string, object)': () => fetch(url, { headers: { accept: 'text/plain' } }),
    'fetch(string, Headers)': () => fetch(url, { headers: new Headers({ accept: 'text/plain' }) }),
    'fetch(string, pairs)': () => fetch(url, { headers: [['accept', 'text/plain']] }),
    'fetch with a streamed body': () => fetch(url, { method: 'POST', body: new Blob(['x']).stream(), duplex: 'half' })
  }
  for (const [form, send] of Object.entries(forms)) {
    await t.test(form, async () => {
      const response = await onward.run(headers, send)
      assertForwarded(await response.json())
    })
  }
})

test('without instrumentation, and outside a request, nothing is added', async (t) => {
  const port = await listen(t, echo())
  const url = `http://127.0.0.1:${port}/`
  const outside = [await answer(http.get(url)), await (await fetch(url)).json()]
  onward.uninstrument()
  onward.uninstrument()
  t.after(() => onward.instrument())
  const off = await onward.run(headers, async () => [await answer(http.get(url)), await (await fetch(url)).json()])
  for (const lines of [...outside, ...off]) {
    for (const name of Object.keys(INBOUND)) if (name !== 'user-agent') assert.deepEqual(valuesOf(lines, name), [], name)
    assert.notDeepEqual(valuesOf(lines, 'user-agent'), [INBOUND['user-agent']])
  }
})

test('instrumenting twice and taking it off once leaves the clients as they were', () => {
  onward.uninstrument()
  const originals = [globalThis.fetch, http.request, https.request, http.ClientRequest.prototype._storeHeader]
  onward.instrument()
  onward.instrument()
  assert.notEqual(globalThis.fetch, originals[0])
  onward.uninstrument()
  const again = [globalThis.fetch, http.request, https.request, http.ClientRequest.prototype._storeHeader]
  originals.forEach((original, i) => assert.equal(again[i], original))
  onward.instrument()
})

test('the caller wins, for a whole family, however late it speaks', async (t) => {
  const port = await listen(t, echo())
  const url = `http://127.0.0.1:${port}/`
  const own = { TraceParent: 'mine', 'User-Agent': 'job/1' }
  const late = () => {
    const request = http.request(url)
    request.setHeader('TraceParent', 'mine')
    request.setHeader('User-Agent', 'job/1')
    return answer(request.end())
  }
  const sent = await onward.run(headers, () => Promise.all([
    answer(http.get(url, { headers: own })),
    answer(http.get(url, { headers: [['host', 'a'], ...Object.entries(own)] })),
    late(),
    fetch(url, { headers: own }).then((response) => response.json()),
    fetch(new Request(url, { headers: own })).then((response) => response.json())
  ]))
  for (const lines of sent) {
    assert.deepEqual(valuesOf(lines, 'traceparent'), ['mine'])
    assert.deepEqual(valuesOf(lines, 'tracestate'), [])
    assert.deepEqual(valuesOf(lines, 'user-agent'), ['job/1'])
    assert.deepEqual(valuesOf(lines, 'end-user'), ['jason'])
  }
})

test('a caller of fetch that calls itself node is left alone', async (t) => {
  const port = await listen(t, echo())
  const lines = await onward.run(headers, async () => {
    return (await fetch(`http://127.0.0.1:${port}/`, { headers: { 'user-agent': 'node' } })).json()
  })
  assert.deepEqual(valuesOf(lines, 'user-agent'), ['node'])
})

test('a signed request is left alone', async (t) => {
  const port = await listen(t, echo())
  const url = `http://127.0.0.1:${port}/`
  const signed = { authorization: 'AWS4-HMAC-SHA256 Credential=a/b, Signature=c' }
  const sent = await onward.run(headers, () => Promise.all([
    answer(http.get(url, { headers: signed })),
    answer(http.get(`${url}?X-Amz-Signature=abc`)),
    fetch(url, { headers: signed }).then((response) => response.json()),
    fetch(`${url}?X-Amz-Signature=abc`).then((response) => response.json())
  ]))
  for (const lines of sent) {
    assert.deepEqual(valuesOf(lines, 'x-request-id'), [])
    assert.deepEqual(valuesOf(lines, 'cookie'), [])
  }
})

test('repeated lines stay repeated', async (t) => {
  const port = await listen(t, echo())
  const url = `http://127.0.0.1:${port}/`
  const repeated = onward.extract([['tracestate', 'a=1'], ['traceparent', 't'], ['tracestate', 'b=2']])
  const sent = await onward.run(repeated, () => Promise.all([
    answer(http.get(url)),
    answer(http.get(url, { headers: ['host', 'a'] })),
    fetch(url).then((response) => response.json())
  ]))
  for (const lines of sent) assert.deepEqual(valuesOf(lines, 'tracestate'), ['a=1', 'b=2'])
})

// Every loopback name counts as in-mesh, so an outside destination needs a name that is not loopback and an address that
// is: the resolver of this process is made to say so for one name, and the connection then is a real one.
function resolveToLoopback(t, name) {
  const { lookup } = dns
  dns.lookup = (host, options, callback) => lookup(host === name ? '127.0.0.1' : host, options, callback)
  t.after(() => {
    dns.lookup = lookup
  })
}

for (const client of ['http', 'fetch']) {
  const send = (url) => (client === 'http' ? answer(http.get(url)) : fetch(url).then((response) => response.json()))

  test(`${client}: an outside destination gets trace headers only`, async (t) => {
    resolveToLoopback(t, 'api.example.com')
    const port = await listen(t, echo())
    const lines = await onward.run(headers, () => send(`http://api.example.com:${port}/`))
    assert.deepEqual(valuesOf(lines, 'x-request-id'), ['a-1'])
    assert.deepEqual(valuesOf(lines, 'tracestate'), ['es=s:1'])
    assert.deepEqual(valuesOf(lines, 'cookie'), [])
    assert.deepEqual(valuesOf(lines, 'end-user'), [])
    assert.notDeepEqual(valuesOf(lines, 'user-agent'), ['Mozilla/5.0'])
  })
}

test('a redirect out of the mesh takes no credentials along, and one back gets them again', async (t) => {
  resolveToLoopback(t, 'api.example.com')
  const seen = []
  const server = http.createServer((request, response) => {
    seen.push([request.headers.host.split(':')[0], request.rawHeaders])
    const next = { '/1': `http://api.example.com:${port}/2`, '/2': `http://localhost:${port}/3` }[request.url]
    response.writeHead(next === undefined ? 200 : 307, next === undefined ? {} : { location: next }).end()
  })
  const port = await listen(t, server)
  await onward.run(headers, () => fetch(`http://localhost:${port}/1`, { headers: { accept: 'text/plain' } }))
  assert.deepEqual(seen.map(([host]) => host), ['localhost', 'api.example.com', 'localhost'])
  const credentials = seen.map(([, raw]) => raw.filter((_, i) => raw[i - 1] === 'cookie'))
  assert.deepEqual(credentials, [['session=secret'], [], ['session=secret']])
  const ids = seen.map(([, raw]) => raw.filter((_, i) => raw[i - 1] === 'x-request-id'))
  assert.deepEqual(ids, [['a-1'], ['a-1'], ['a-1']])
})

test('a redirect inside the mesh does not put another authorization where fetch has taken the caller\'s away', async (t) => {
  const seen = []
  const server = http.createServer((request, response) => {
    seen.push(request.headers)
    const redirect = request.url === '/1' ? { location: `http://127.0.0.1:${port}/2` } : {}
    response.writeHead(request.url === '/1' ? 307 : 200, redirect).end()
  })
  const port = await listen(t, server)
  const inbound = onward.extract({ ...INBOUND, authorization: 'Bearer inbound' })
  await onward.run(inbound, () => fetch(`http://localhost:${port}/1`, { headers: { authorization: 'Bearer own' } }))
  assert.deepEqual(seen.map(({ authorization }) => authorization), ['Bearer own', undefined])
  assert.deepEqual(seen.map(({ cookie }) => cookie), ['session=secret', 'session=secret'])
})

test('the headers are those of the request that created the call, whoever writes its body', async (t) => {
  const port = await listen(t, echo())
  const source = onward.run(onward.extract({ 'x-request-id': 'other' }), () => new PassThrough())
  const request = onward.run(headers, () => http.request(`http://127.0.0.1:${port}/`, { method: 'POST' }))
  onward.run(onward.extract({ 'x-request-id': 'other' }), () => {
    source.pipe(request)
    source.end('x')
  })
  assert.deepEqual(valuesOf(await answer(request), 'x-request-id'), ['a-1'])
})

test('https is instrumented', async (t) => {
  const server = http.createServer()
  const port = await listen(t, server)
  // No certificate is needed to see what would be sent: the connection is plain, under the agent of https.
  const agent = new https.Agent()
  const net = await import('node:net')
  agent.createConnection = () => net.connect(port, '127.0.0.1')
  const got = once(server, 'request')
  onward.run(headers, () => https.get(`https://reviews:${port}/`, { agent }).on('error', () => {}))
  const [request, response] = await got
  response.end()
  assert.equal(request.headers.cookie, 'session=secret')
})

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
