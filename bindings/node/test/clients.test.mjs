// Every client through the same checks, against a real server on loopback.

import assert from 'node:assert/strict'
import dns from 'node:dns'
import http from 'node:http'
import http2 from 'node:http2'
import test from 'node:test'

import * as onward from '../index.mjs'
import { CLIENTS } from './clients.mjs'
import { linesOf, listen, valuesOf } from './servers.mjs'

const INBOUND = [
  ['x-request-id', 'a-1'],
  ['traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
  ['tracestate', 'rojo=00f067aa0ba902b7'],
  ['tracestate', 'congo=t61rcWkgMzE'],
  ['cookie', 'session=a b; user="jason"'],
  ['authorization', 'Bearer inbound+/='],
  ['end-user', 'jas\xc3\xb6n'],
  ['user-agent', 'Mozilla/5.0'],
  ['x-not-listed', 'stays']
]
const TRACE = ['x-request-id', 'traceparent', 'tracestate']
const NAMES = [...new Set(INBOUND.map(([name]) => name))]
// But `user-agent`, which is looked at by itself.
const EVERYTHING = ['x-request-id', 'traceparent', 'tracestate', 'cookie', 'authorization', 'end-user']
const OUTSIDE = 'api.example.com'

/** Every loopback name is in the mesh: this process takes one that is not for loopback too. The connection is a real one. */
const { lookup } = dns
dns.lookup = (host, ...rest) => lookup(host === OUTSIDE ? '127.0.0.1' : host, ...rest)

/** What arrived of the inbound request's headers. */
const forwarded = (lines) => lines.filter(([name]) => NAMES.includes(name) && name !== 'user-agent')

function expected(client, names) {
  const lines = INBOUND.filter(([name]) => names.includes(name))
  if (!client.joins) return lines
  return lines.flatMap(([name, value], i) => {
    const isSame = (other) => other?.[0] === name
    return isSame(lines[i - 1]) ? [] : [[name, isSame(lines[i + 1]) ? `${value},${lines[i + 1][1]}` : value]]
  })
}

const sorted = (lines) => [...lines].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
const inRequest = (send) => onward.run(onward.extract(INBOUND), send)

function assertForwarded(client, lines, names) {
  assert.deepEqual(sorted(forwarded(lines)), sorted(expected(client, names)))
}

/** An echo that redirects to `to` of its query, and notes what arrives. */
async function destination(t, { speaks }) {
  const visits = []
  const answer = (request, response) => {
    const lines = linesOf(request)
    visits.push({ host: request.headers.host?.split(':')[0], lines })
    const to = new URL(request.url, 'http://service/').searchParams.get('to')
    request.resume()
    if (to === null) response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(lines))
    else response.writeHead(307, { location: to }).end()
  }
  const port = await listen(t, speaks === 'http2' ? http2.createServer(answer) : http.createServer(answer))
  return { port, url: `http://127.0.0.1:${port}/`, outside: `http://${OUTSIDE}:${port}/`, visits }
}

for (const [name, client] of Object.entries(CLIENTS)) {
  test(name, async (t) => {
    if (!client.explicit) {
      onward.instrument()
      t.after(onward.uninstrument)
    }
    const { port, url, outside, visits } = await destination(t, client)

    await t.test('inside the mesh it sends everything, each line byte for byte and once', async () => {
      const lines = await inRequest(() => client.send(url))
      assertForwarded(client, lines, EVERYTHING)
      assert.deepEqual(valuesOf(lines, 'user-agent'), ['Mozilla/5.0'])
    })

    await t.test('a request with a body too', async () => {
      const lines = await inRequest(() => client.send(url, { 'content-type': 'text/plain' }, { method: 'POST', body: 'x' }))
      assertForwarded(client, lines, EVERYTHING)
    })

    await t.test('outside of it, trace headers only', async () => {
      const lines = await inRequest(() => client.send(outside))
      assertForwarded(client, lines, TRACE)
      assertOwn(client, lines)
    })

    await t.test('the caller wins, for a whole family, and its own user-agent stays', async () => {
      const lines = await inRequest(() => client.send(url, { TraceState: 'mine=1', 'User-Agent': 'job/1' }))
      assert.deepEqual(valuesOf(lines, 'traceparent'), [])
      assert.deepEqual(valuesOf(lines, 'tracestate'), ['mine=1'])
      assert.deepEqual(valuesOf(lines, 'user-agent'), ['job/1'])
      assert.deepEqual(valuesOf(lines, 'x-request-id'), ['a-1'])
    })

    await t.test('a signed request is left alone', async () => {
      const signed = { authorization: 'AWS4-HMAC-SHA256 Credential=a/b, Signature=c' }
      for (const lines of [
        await inRequest(() => client.send(url, signed)),
        await inRequest(() => client.send(`${url}?X-Amz-Signature=0123`))
      ]) {
        assert.deepEqual(forwarded(lines).filter(([, value]) => value !== signed.authorization), [])
        assertOwn(client, lines)
      }
    })

    if (client.follows) {
      await t.test('a redirect out of the mesh takes nothing along that may not go, and back it is there again', async () => {
        visits.length = 0
        const back = `http://localhost:${port}/`
        await inRequest(() => client.send(`${url}?to=${encodeURIComponent(`${outside}?to=${encodeURIComponent(back)}`)}`))
        assert.deepEqual(visits.map(({ host }) => host), ['127.0.0.1', OUTSIDE, 'localhost'])
        const [first, second, third] = visits.map(({ lines }) => lines)
        assert.deepEqual([first, second, third].map((lines) => valuesOf(lines, 'cookie')), [['session=a b; user="jason"'], [], ['session=a b; user="jason"']])
        assertForwarded(client, second, TRACE)
        assertForwarded(client, third, EVERYTHING)
      })
    }

    if (client.remembers) {
      await t.test('a credential of the caller that is taken away on a redirect is not replaced', async () => {
        visits.length = 0
        const next = `http://localhost:${port}/`
        await inRequest(() => client.send(`${url}?to=${encodeURIComponent(next)}`, { authorization: 'Bearer own' }))
        const [first, second] = visits.map(({ lines }) => valuesOf(lines, 'authorization'))
        assert.deepEqual(first, ['Bearer own'])
        assert.ok(second.every((value) => value === 'Bearer own'), second.join())
      })
    }

    await t.test('concurrent requests keep their own headers', async () => {
      const ids = Array.from({ length: 20 }, (_, i) => `id-${i}`)
      const all = await Promise.all(ids.map((id) => onward.run({ 'x-request-id': id }, () => client.send(url))))
      assert.deepEqual(all.map((lines) => valuesOf(lines, 'x-request-id')), ids.map((id) => [id]))
    })

    await t.test('outside of a request it sends what it sends without Onward, and so it does without instrumentation', async () => {
      const outsideOne = await client.send(url, { accept: 'text/plain' })
      if (!client.explicit) onward.uninstrument()
      assert.deepEqual(outsideOne, await client.send(url, { accept: 'text/plain' }))
      if (!client.explicit) assert.deepEqual(outsideOne, await inRequest(() => client.send(url, { accept: 'text/plain' })))
      assert.deepEqual(forwarded(outsideOne), [])
      assertOwn(client, outsideOne)
    })
  })
}

function assertOwn(client, lines) {
  const agents = valuesOf(lines, 'user-agent')
  if (client.own === undefined) assert.deepEqual(agents, [])
  else assert.match(agents.join(), client.own)
}
