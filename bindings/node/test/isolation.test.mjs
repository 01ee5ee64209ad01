import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import http from 'node:http'
import test from 'node:test'
import { setImmediate, setTimeout } from 'node:timers/promises'

import * as onward from '../index.mjs'
import { echo, listen, valuesOf } from './servers.mjs'

const REQUESTS = 3000
const AT_ONCE = 64

/**
 * Sends thousands of requests with distinct headers over a few keep-alive connections, through a service that makes two
 * outbound calls for each. Counts the outbound calls that carried another request's headers, or none.
 */
async function mixedUp(t, propagate, around = (call) => call()) {
  const upstream = await listen(t, echo())
  const outbound = new http.Agent({ keepAlive: true, maxSockets: 8 })
  const inbound = new http.Agent({ keepAlive: true, maxSockets: 16 })
  t.after(() => [outbound, inbound].forEach((agent) => agent.destroy()))
  const call = (client) => client === 'fetch'
    ? fetch(`http://127.0.0.1:${upstream}/`).then((response) => response.json())
    : new Promise((resolve, reject) => {
      http.get(`http://127.0.0.1:${upstream}/`, { agent: outbound }, async (response) => resolve(JSON.parse(await text(response)))).on('error', reject)
    })
  const server = http.createServer(propagate(async (request, response) => {
    const lines = []
    for (const client of ['http', 'fetch']) {
      if (Math.random() < 0.5) await setImmediate()
      else await setTimeout(Math.random() * 3)
      lines.push(await around(() => call(client)))
    }
    // Every tenth handler fails after its work; the next request on the connection must not see its headers.
    if (Math.random() < 0.1) response.statusCode = 500
    response.end(JSON.stringify(lines))
  }))
  const port = await listen(t, server)
  let wrong = 0
  let next = 0
  const worker = async () => {
    while (next < REQUESTS) {
      const id = `request-${next++}`
      const cookie = next % 3 === 0 ? undefined : `session=${id}`
      const headers = { 'x-request-id': id, ...(cookie && { cookie }) }
      const calls = await new Promise((resolve, reject) => {
        http.get(`http://127.0.0.1:${port}/`, { agent: inbound, headers }, async (response) => resolve(JSON.parse(await text(response)))).on('error', reject)
      })
      assert.equal(calls.length, 2)
      for (const lines of calls) {
        const same = valuesOf(lines, 'x-request-id').join() === id && valuesOf(lines, 'cookie').join() === (cookie ?? '')
        if (!same) wrong++
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return wrong
}

async function text(stream) {
  let all = ''
  for await (const chunk of stream) all += chunk
  return all
}

test('of thousands of interleaved requests over shared connections, none gets the headers of another', async (t) => {
  onward.instrument()
  t.after(() => onward.uninstrument())
  assert.equal(await mixedUp(t, onward.propagate), 0)
})

test('the same test finds a scope that requests share', async (t) => {
  // The negative control: one variable for all requests, as a careless implementation would have it.
  onward.instrument()
  t.after(() => onward.uninstrument())
  let shared
  const careless = (handler) => (request, response) => {
    shared = onward.extract(request)
    return handler(request, response)
  }
  assert.ok(await mixedUp(t, careless, (call) => onward.run(shared, call)) > 100)
})

test('a fetch that waits for a connection keeps its own headers', async (t) => {
  onward.instrument()
  t.after(() => onward.uninstrument())
  const { Agent } = await import('undici')
  const dispatcher = new Agent({ connections: 1, pipelining: 1 })
  t.after(() => dispatcher.close())
  const port = await listen(t, echo())
  const ids = Array.from({ length: 50 }, (_, i) => `request-${i}`)
  const sent = await Promise.all(ids.map((id) => onward.run(onward.extract({ 'x-request-id': id }), async () => {
    return valuesOf(await (await fetch(`http://127.0.0.1:${port}/`, { dispatcher })).json(), 'x-request-id')
  })))
  assert.deepEqual(sent, ids.map((id) => [id]))
})

test('carry takes the headers along into a callback that another request calls', () => {
  const queue = []
  const seen = []
  onward.run(onward.extract({ jwt: 'a' }), () => queue.push(onward.carry(() => seen.push(onward.current().get('jwt')))))
  queue.push(onward.carry(() => seen.push(onward.current().size)))
  onward.run(onward.extract({ jwt: 'b' }), () => queue.forEach((callback) => callback()))
  assert.deepEqual(seen, ['a', 0])
})

test('carry and propagate keep this, arguments, result, name and length', () => {
  const object = {
    name: 'o',
    method: onward.carry(function method(a, b) {
      return [this.name, a, b]
    })
  }
  assert.deepEqual(object.method(1, 2), ['o', 1, 2])
  const handler = onward.propagate(function failure(error, request, response, next) {})
  assert.equal(handler.length, 4)
  assert.equal(handler.name, 'failure')
})

test('a handler that throws leaves no headers behind', async () => {
  const failing = onward.propagate(async () => {
    await setImmediate()
    throw new Error('handler')
  })
  await assert.rejects(failing({ rawHeaders: ['jwt', 'a'] }), { message: 'handler' })
  assert.equal(onward.current().size, 0)
})

test('mutating what a carrier held changes nothing that was captured from it', async (t) => {
  const carrier = { jwt: 'a', cookie: ['b', 'c'] }
  const headers = onward.extract(carrier)
  carrier.jwt = 'changed'
  carrier.cookie.push('d')
  assert.deepEqual([...headers], [['cookie', 'b'], ['cookie', 'c'], ['jwt', 'a']])

  const port = await listen(t, http.createServer((request, response) => {
    const captured = onward.extract(request)
    request.headers.jwt = 'changed'
    delete request.headers.cookie
    request.headers['end-user'] = 'invented'
    response.end(JSON.stringify(captured.toObject()))
  }))
  const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { jwt: 'a', cookie: 'b' } })
  const { 'user-agent': _, ...seen } = await response.json()
  assert.deepEqual(seen, { cookie: 'b', jwt: 'a' })
})

test('what getForwardHeaders gave belongs to the caller', () => {
  const headers = onward.extract({ jwt: 'a' })
  const first = headers.toObject()
  first.jwt = 'changed'
  first.cookie = 'added'
  assert.deepEqual(headers.toObject(), { jwt: 'a' })
  assert.equal(Object.getPrototypeOf(first), Object.prototype)
})

test('the scope is not the store of another library', () => {
  const other = new AsyncLocalStorage()
  other.run('theirs', () => {
    onward.run(onward.extract({ jwt: 'a' }), () => assert.equal(other.getStore(), 'theirs'))
  })
})
