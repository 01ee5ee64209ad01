// What undici does between a program's call and the wire: queues, retries, redirects, proxies. Every generation of it.

import assert from 'node:assert/strict'
import diagnostics from 'node:diagnostics_channel'
import http from 'node:http'
import { once } from 'node:events'
import { Readable, Writable } from 'node:stream'
import test, { after, before } from 'node:test'

import * as onward from '../index.mjs'
import { UNDICI } from './clients.mjs'
import { echo, linesOf, listen, proxy, valuesOf } from './servers.mjs'

before(() => onward.instrument())
after(() => onward.uninstrument())

const read = async (response) => (await response).body.json()
const inRequest = (id, send) => onward.run({ 'x-request-id': id, 'cookie': `of-${id}`, 'traceparent': `t-${id}` }, send)

for (const [name, undici] of Object.entries(UNDICI)) {
  const { Agent, Client, EnvHttpProxyAgent, Pool, ProxyAgent, RetryAgent, interceptors, request, stream } = undici
  const closing = (t, dispatcher) => {
    t.after(() => dispatcher.destroy())
    return dispatcher
  }

  for (const [form, wrap] of Object.entries({ instrumented: (pool) => pool, explicit: onward.undici })) {
    test(`${name}, ${form}: requests that wait in a pool keep their own headers, and one from no request gets none`, async (t) => {
      if (form === 'explicit') {
        onward.uninstrument()
        t.after(() => onward.instrument())
      }
      const pool = wrap(closing(t, new Pool(`http://127.0.0.1:${await listen(t, echo())}`, { connections: 1 })))
      const send = () => read(pool.request({ path: '/', method: 'GET' }))
      const sent = ['a', 'b', 'c'].map((id) => inRequest(id, send))
      const all = await Promise.all([...sent, send(), inRequest('d', send), send()])
      assert.deepEqual(all.map((lines) => valuesOf(lines, 'cookie')), [['of-a'], ['of-b'], ['of-c'], [], ['of-d'], []])
    })
  }

  test(`${name}: a tracer that listens on its channel keeps its traceparent, in a queue too`, async (t) => {
    const tracer = ({ request }) => request.addHeader('traceparent', 'of-the-tracer')
    diagnostics.subscribe('undici:request:create', tracer)
    t.after(() => diagnostics.unsubscribe('undici:request:create', tracer))
    const pool = closing(t, new Pool(`http://127.0.0.1:${await listen(t, echo())}`, { connections: 1 }))
    const all = await Promise.all(['a', 'b', 'c'].map((id) => inRequest(id, () => read(pool.request({ path: '/', method: 'GET' })))))
    assert.deepEqual(all.map((lines) => valuesOf(lines, 'traceparent')), Array(3).fill(['of-the-tracer']))
    assert.deepEqual(all.map((lines) => valuesOf(lines, 'x-request-id')), [['a'], ['b'], ['c']])
  })

  test(`${name}: a retry carries the headers of its request, on a connection that another one has opened`, async (t) => {
    const visits = []
    const port = await listen(t, http.createServer((request, response) => {
      visits.push(linesOf(request))
      response.writeHead(visits.length === 2 ? 503 : 200).end('[]')
    }))
    const dispatcher = closing(t, new RetryAgent(new Agent({ connections: 1 }), { minTimeout: 1 }))
    const send = () => read(request(`http://127.0.0.1:${port}/`, { dispatcher }))
    await inRequest('a', send)
    await inRequest('b', send)
    assert.deepEqual(visits.map((lines) => valuesOf(lines, 'cookie')), [['of-a'], ['of-b'], ['of-b']])
  })

  test(`${name}: what is redirected on a connection that another request has opened keeps its own headers`, async (t) => {
    const port = await listen(t, http.createServer((request, response) => {
      if (request.url === '/1') response.writeHead(302, { location: '/2' }).end()
      else response.end(JSON.stringify(linesOf(request)))
    }))
    const agent = closing(t, new Agent({ connections: 1 }))
    const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: 2 }))
    const send = () => read(request(`http://127.0.0.1:${port}/1`, { dispatcher }))
    const all = await Promise.all([inRequest('a', send), inRequest('b', send), send(), inRequest('c', send)])
    assert.deepEqual(all.map((lines) => valuesOf(lines, 'cookie')), [['of-a'], ['of-b'], [], ['of-c']])
  })

  test(`${name}: through a proxy the target counts, and a tunnel carries nothing to the proxy`, async (t) => {
    const { asked, uri } = await proxy(t)
    const port = await listen(t, echo())
    const dispatcher = closing(t, new ProxyAgent({ uri, proxyTunnel: true }))
    const lines = await inRequest('a', () => read(request(`http://127.0.0.1:${port}/`, { dispatcher })))
    assert.deepEqual(valuesOf(lines, 'cookie'), ['of-a'])
    assert.deepEqual(asked.map(([method, url]) => [method, url]), [['CONNECT', `127.0.0.1:${port}`]])
    assert.deepEqual(valuesOf(asked[0][2], 'x-request-id'), [])
  })

  // The first that can do without a tunnel.
  if (name !== 'undici 6') {
    test(`${name}: without a tunnel, too, it is the target that counts`, async (t) => {
      const { asked, uri } = await proxy(t)
      const dispatcher = closing(t, new ProxyAgent({ uri, proxyTunnel: false }))
      const sent = ['http://reviews:9080/1', 'http://api.example.com/2', 'http://reviews:9080/3?X-Amz-Signature=0123']
      for (const url of sent) await inRequest('a', () => read(request(url, { dispatcher })))
      assert.deepEqual(asked.map(([, url]) => url), sent)
      assert.deepEqual(asked.map(([, , lines]) => valuesOf(lines, 'x-request-id')), [['a'], ['a'], []])
      assert.deepEqual(asked.map(([, , lines]) => valuesOf(lines, 'cookie')), [['of-a'], [], []])
    })
  }

  test(`${name}: what the environment says about a proxy is followed with the headers`, async (t) => {
    const { asked, uri } = await proxy(t)
    const port = await listen(t, echo())
    const dispatcher = closing(t, new EnvHttpProxyAgent({ httpProxy: uri, httpsProxy: uri, noProxy: '127.0.0.2', proxyTunnel: true }))
    const lines = await inRequest('a', () => read(request(`http://127.0.0.1:${port}/`, { dispatcher })))
    assert.deepEqual(valuesOf(lines, 'cookie'), ['of-a'])
    assert.equal(asked.length, 1)
  })

  test(`${name}: stream() and uploads carry the headers, and its factory is in the scope`, async (t) => {
    const port = await listen(t, echo())
    const chunks = []
    await inRequest('a', () => stream(`http://127.0.0.1:${port}/`, { method: 'POST', body: Readable.from(['x', 'y']) }, () => {
      assert.equal(onward.current().requestId, 'a')
      return new Writable({ write: (chunk, _, done) => done(chunks.push(chunk) && null) })
    }))
    assert.deepEqual(valuesOf(JSON.parse(Buffer.concat(chunks)), 'cookie'), ['of-a'])
  })

  test(`${name}: an aborted request leaves nothing for the next one`, async (t) => {
    const server = http.createServer((request, response) => {
      if (request.url === '/') response.end(JSON.stringify(linesOf(request)))
    })
    const port = await listen(t, server)
    const client = closing(t, new Client(`http://127.0.0.1:${port}`))
    const controller = new AbortController()
    const arrived = once(server, 'request')
    const aborted = inRequest('a', () => client.request({ path: '/never', method: 'GET', signal: controller.signal }))
    await arrived
    controller.abort()
    await assert.rejects(aborted, { name: 'AbortError' })
    assert.deepEqual(valuesOf(await read(client.request({ path: '/', method: 'GET' })), 'cookie'), [])
    assert.deepEqual(valuesOf(await inRequest('b', () => read(client.request({ path: '/', method: 'GET' }))), 'cookie'), ['of-b'])
  })

  test(`${name}: a value that is not ASCII leaves as it came beside a body of text`, async (t) => {
    const port = await listen(t, echo())
    const lines = await onward.run({ 'end-user': 'jas\xc3\xb6n' }, () => read(request(`http://127.0.0.1:${port}/`, { method: 'POST', body: '\u{1f600}' })))
    assert.deepEqual(valuesOf(lines, 'end-user'), ['jas\xc3\xb6n'])
  })

  test(`${name}: a request that is refused fails as it does without Onward`, async () => {
    const failure = (send) => send().then(() => 'none', ({ name, message }) => [name, message])
    for (const options of [{ headers: 'x' }, { path: 1 }, { method: 'A B' }, { headers: { a: {} } }]) {
      const send = () => failure(async () => read(request('http://127.0.0.1:1/', options)))
      const plain = await send()
      assert.notEqual(plain, 'none')
      assert.deepEqual(await inRequest('a', send), plain)
    }
  })
}

test('undici 6: redirects that a request asks for by itself are decided about one by one', async (t) => {
  const visits = []
  const port = await listen(t, http.createServer((request, response) => {
    visits.push(linesOf(request))
    if (request.url === '/1') response.writeHead(302, { location: `http://localhost:${port}/2` })
    response.end('[]')
  }))
  const { Agent, request } = UNDICI['undici 6']
  const dispatcher = new Agent()
  t.after(() => dispatcher.destroy())
  const options = { dispatcher, maxRedirections: 2, headers: { authorization: 'Bearer own' } }
  await onward.run({ 'cookie': 'a=b', 'authorization': 'Bearer inbound' }, () => read(request(`http://127.0.0.1:${port}/1`, options)))
  assert.deepEqual(visits.map((lines) => valuesOf(lines, 'cookie')), [['a=b'], ['a=b']])
  assert.deepEqual(visits.map((lines) => valuesOf(lines, 'authorization')), [['Bearer own'], []])
})

test('a dispatcher with a dispatch of its own, as for one call, forwards and stays as it is', async (t) => {
  const agent = new UNDICI['undici 6'].Agent()
  t.after(() => agent.destroy())
  const asked = []
  const dispatch = (options, handler) => {
    asked.push(options.path)
    return agent.dispatch(options, handler)
  }
  const dispatcher = { __proto__: agent, dispatch }
  const url = `http://127.0.0.1:${await listen(t, echo())}/`
  const lines = await inRequest('a', async () => (await fetch(url, { dispatcher })).json())
  assert.deepEqual(valuesOf(lines, 'cookie'), ['of-a'])
  assert.deepEqual(asked, ['/'])
  // Held on to, each would stay for as long as the process.
  assert.equal(dispatcher.dispatch, dispatch)
})

test('undici() takes dispatchers only', () => {
  for (const wrong of [undefined, null, {}, { dispatch() {} }, 'agent']) {
    assert.throws(() => onward.undici(wrong), { name: 'OnwardError', code: 'invalid_argument' })
  }
})
