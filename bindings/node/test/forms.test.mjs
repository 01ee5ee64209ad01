// Every form in which fetch and node:http are called, and what the checks of all clients in clients.test.mjs do not reach.

import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { json } from 'node:stream/consumers'
import http, { get as importedGet, request as importedRequest } from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import Module from 'node:module'
import test, { after, before } from 'node:test'
import { once } from 'node:events'

import * as onward from '../index.mjs'
import { echo, linesOf, listen, valuesOf } from './servers.mjs'

const INBOUND = {
  'x-request-id': 'a-1',
  'traceparent': '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  'tracestate': 'es=s:1',
  'cookie': 'session=secret',
  'end-user': 'jas\xc3\xb6n',
  'user-agent': 'Mozilla/5.0',
  'x-not-listed': 'stays'
}
const headers = onward.extract(INBOUND)

before(() => onward.instrument())
after(() => onward.uninstrument())

const answer = (request) => once(request, 'response').then(([response]) => json(response))

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
    'request(string, callback)': () => new Promise((resolve) => http.request(url, (r) => resolve(json(r))).end()),
    'request(string, options, callback)': () => new Promise((resolve) => http.request(url, {}, (r) => resolve(json(r))).end()),
    'request(options, callback)': () => new Promise((resolve) => http.request(options, (r) => resolve(json(r))).end()),
    'get(string)': () => answer(http.get(url)),
    'get(URL, callback)': () => new Promise((resolve) => http.get(new URL(url), (r) => resolve(json(r)))),
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
      return answer(request.end('\u{1f600}'))
    },
    'expect: 100-continue': () => {
      const request = http.request(url, { method: 'POST', headers: { Expect: '100-continue' } })
      request.on('continue', () => request.end('\u{1f600}'))
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

test('instrumenting twice and taking it off once leaves the clients as they were', () => {
  onward.uninstrument()
  const parts = () => [
    globalThis.fetch, http.request, https.request, http.ClientRequest.prototype._storeHeader, http2.connect, Module.prototype.require
  ]
  const originals = parts()
  onward.instrument()
  onward.instrument()
  assert.notEqual(globalThis.fetch, originals[0])
  onward.uninstrument()
  const again = parts()
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
    assert.deepEqual(valuesOf(lines, 'end-user'), ['jas\xc3\xb6n'])
  }
})

test('a caller of fetch that calls itself node is left alone', async (t) => {
  const port = await listen(t, echo())
  const lines = await onward.run(headers, async () => {
    return (await fetch(`http://127.0.0.1:${port}/`, { headers: { 'user-agent': 'node' } })).json()
  })
  assert.deepEqual(valuesOf(lines, 'user-agent'), ['node'])
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

test('what waits for a connection of an agent keeps its own headers, and one from no request gets none', async (t) => {
  const port = await listen(t, echo())
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const send = () => answer(http.get(`http://127.0.0.1:${port}/`, { agent }))
  const sent = ['a', 'b', 'c'].map((id) => onward.run({ 'x-request-id': id }, send))
  const all = await Promise.all([...sent, send(), onward.run({ 'x-request-id': 'd' }, send), send()])
  assert.deepEqual(all.map((lines) => valuesOf(lines, 'x-request-id')), [['a'], ['b'], ['c'], [], ['d'], []])
})

test('a request through a forward proxy is decided about by its target, and a tunnel carries nothing', async (t) => {
  const asked = []
  const server = http.createServer((request, response) => response.end(asked.push([request.url, linesOf(request)]) && '[]'))
  server.on('connect', (request, socket) => socket.end('HTTP/1.1 403 No\r\n\r\n', () => asked.push([request.url, linesOf(request)])))
  const port = await listen(t, server)
  const through = (options) => once(http.request({ host: '127.0.0.1', port, ...options }).end(), options.method === 'CONNECT' ? 'connect' : 'response')
  await onward.run(headers, async () => {
    for (const path of ['http://reviews:9080/1', 'http://api.example.com/2']) (await through({ path }))[0].resume()
    await through({ method: 'CONNECT', path: 'reviews:9080' })
  })
  assert.deepEqual(asked.map(([url]) => url), ['http://reviews:9080/1', 'http://api.example.com/2', 'reviews:9080'])
  assert.deepEqual(asked.map(([, lines]) => valuesOf(lines, 'x-request-id')), [['a-1'], ['a-1'], []])
  assert.deepEqual(asked.map(([, lines]) => valuesOf(lines, 'cookie')), [['session=secret'], [], []])
})

test('a flat array of headers with lists in it goes out whole, and one that Node refuses is refused as without Onward', async (t) => {
  const url = `http://127.0.0.1:${await listen(t, echo())}/`
  const lines = await onward.run(headers, () => answer(http.get(url, { headers: ['host', 'a', 'x-own', ['1', '2']] })))
  assert.deepEqual(valuesOf(lines, 'x-own'), ['1', '2'])
  assertForwarded(lines)
  const refused = () => http.get(url, { headers: ['host', 'a', 'x-own'] })
  assert.throws(() => onward.run(headers, refused), { code: 'ERR_INVALID_ARG_VALUE' })
  assert.throws(refused, { code: 'ERR_INVALID_ARG_VALUE' })
})

test('a request of node:http shows its caller what the caller has set, and no more', async (t) => {
  const port = await listen(t, echo())
  const request = onward.run(headers, () => http.get(`http://127.0.0.1:${port}/`, { headers: { accept: 'text/plain' } }))
  await answer(request)
  assert.deepEqual(request.getHeaderNames(), ['accept', 'host'])
})

test('what the caller has set is known after a redirect, in whichever form it was set', async (t) => {
  const server = http.createServer((request, response) => {
    if (request.url === '/1') response.writeHead(302, { location: '/2' })
    response.end(JSON.stringify(linesOf(request)))
  })
  const port = await listen(t, server)
  const host = `127.0.0.1:${port}`
  const forms = { object: Object.fromEntries, pairs: (pairs) => pairs, flat: (pairs) => pairs.flat() }
  const get = (path, headers, heard) => http.get({ host: '127.0.0.1', port, path, headers }, heard)
  // As libraries do, while they handle the answer.
  const follow = (form, own) => onward.run({ authorization: 'Bearer inbound' }, () => new Promise((resolve) => {
    get('/1', form([['Host', host], ...own]), (response) => {
      response.resume()
      resolve(answer(get('/2', form([['host', host]]))).then((lines) => valuesOf(lines, 'authorization')))
    })
  }))
  for (const [name, form] of Object.entries(forms)) {
    assert.deepEqual(await follow(form, [['Authorization', 'Bearer own']]), [], name)
    assert.deepEqual(await follow(form, []), ['Bearer inbound'], name)
  }
})

test('a redirect of a request that fails when it is read costs a warning, and the answer arrives', async (t) => {
  const server = http.createServer((_, response) => response.writeHead(302, { location: '/2' }).end())
  const url = `http://127.0.0.1:${await listen(t, server)}/1`
  const warned = once(process, 'warning')
  const request = onward.run(headers, () => http.get(url))
  request.getHeader = () => {
    throw new Error('broken')
  }
  const [response] = await once(request, 'response')
  assert.equal(response.resume().statusCode, 302)
  assert.equal((await warned)[0].message, 'broken')
})

test('an answer that leads elsewhere is a redirect only for the request that goes there', async (t) => {
  const server = http.createServer((request, response) => {
    response.writeHead(request.url === '/1' ? 302 : 200, { location: '/2' }).end(JSON.stringify(linesOf(request)))
  })
  const url = `http://127.0.0.1:${await listen(t, server)}`
  const inbound = onward.extract({ authorization: 'Bearer inbound' })
  const after = (path) => onward.run(inbound, () => new Promise((resolve, reject) => {
    const first = http.request(`${url}/1`, { headers: { authorization: 'Bearer own' } }, (response) => {
      response.resume()
      answer(http.request(url + path).end()).then(resolve, reject)
    })
    first.on('error', reject).end()
  }))
  assert.deepEqual(valuesOf(await after('/2'), 'authorization'), [])
  assert.deepEqual(valuesOf(await after('/3'), 'authorization'), ['Bearer inbound'])
})

test('what a stream of node:http2 emits is heard in the scope; the caller\'s headers stay as they are', async (t) => {
  const server = http2.createServer((request, response) => response.end(JSON.stringify(linesOf(request))))
  const session = http2.connect(`http://127.0.0.1:${await listen(t, server)}`)
  const ids = await Promise.all(['a', 'b'].map((id) => onward.run({ 'x-request-id': id }, () => new Promise((resolve) => {
    session.request().on('response', () => resolve(onward.current().requestId)).resume()
  }))))
  assert.deepEqual(ids, ['a', 'b'])
  const own = { 'x-request-id': 'mine', 'cookie': ['a=1', 'b=2'] }
  const lines = await onward.run(headers, () => json(session.request(own)))
  assert.deepEqual(valuesOf(lines, 'x-request-id'), ['mine'])
  assert.deepEqual(valuesOf(lines, 'end-user'), ['jas\xc3\xb6n'])
  session.close()
  assert.deepEqual(own, { 'x-request-id': 'mine', 'cookie': ['a=1', 'b=2'] })
})
