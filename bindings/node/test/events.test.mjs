// What a request and its response emit after the handler has returned is heard in the scope of that request.

import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import test from 'node:test'

import { Propagator, current, express, propagate } from '../index.mjs'
import { listen } from './servers.mjs'

const HEADERS = { 'x-request-id': 'a-1' }
const id = () => current().get('x-request-id')

/** A request and its response as a handler has got them, on a connection that stays open until the test `t` ends. */
async function handled(t, handler) {
  const server = http.createServer()
  const port = await listen(t, server)
  const request = http.request({ port, host: '127.0.0.1', method: 'POST', headers: HEADERS })
  request.on('error', () => {})
  t.after(() => request.destroy())
  request.flushHeaders()
  const [incoming, outgoing] = await once(server, 'request')
  handler(incoming, outgoing)
  return { request, incoming, outgoing }
}

const emitted = (emitter, event) => new Promise((resolve) => emitter.once(event, () => resolve(id())))

test('the pieces of a body, its end, and the end of the response are heard in the scope', async (t) => {
  const { request, incoming, outgoing } = await handled(t, propagate(() => {}))
  const heard = Promise.all([['data', incoming], ['end', incoming], ['finish', outgoing], ['close', outgoing]].map(([event, emitter]) => emitted(emitter, event)))
  incoming.once('end', () => outgoing.end())
  request.end('body')
  assert.deepEqual(await heard, ['a-1', 'a-1', 'a-1', 'a-1'])
  assert.equal(id(), undefined)
})

test('without a scope they are heard in none', async (t) => {
  const { request, incoming } = await handled(t, () => {})
  const heard = emitted(incoming.resume(), 'end')
  request.end('body')
  assert.equal(await heard, undefined)
})

test('a request that is aborted is heard of in the scope', async (t) => {
  const { request, incoming, outgoing } = await handled(t, (req, res) => express()(req, res, () => {}))
  const heard = Promise.all([emitted(incoming, 'close'), emitted(outgoing, 'close')])
  incoming.on('error', () => {})
  request.destroy()
  assert.deepEqual(await heard, ['a-1', 'a-1'])
})

test('of two handlers that hold a request, the inner one counts', async (t) => {
  const inner = propagate(() => {}, { propagator: new Propagator({ remove: ['x-request-id'] }) })
  const { request, incoming } = await handled(t, propagate(inner))
  const heard = emitted(incoming.resume(), 'end')
  request.end()
  assert.equal(await heard, undefined)
})

test('an emit that somebody else has put on a request goes on being called', async (t) => {
  const seen = []
  const { incoming } = await handled(t, (req, res) => {
    const { emit } = req
    req.emit = function (...args) {
      seen.push([args[0], id()])
      return emit.apply(this, args)
    }
    propagate(() => {})(req, res)
  })
  incoming.on('theirs', () => {})
  incoming.emit('theirs')
  assert.deepEqual(seen.at(-1), ['theirs', 'a-1'])
})

test('what inherits from a request emits as it did', () => {
  const request = Object.assign(new EventEmitter(), { rawHeaders: ['x-request-id', 'a-1'] })
  propagate(() => {})(request)
  const wrapper = Object.create(request)
  const heard = []
  wrapper.on('theirs', (...args) => heard.push(id(), ...args))
  assert.equal(wrapper.emit('theirs', 1, 2), true)
  assert.equal(wrapper.emit('nobody hears'), false)
  assert.deepEqual(heard, ['a-1', 1, 2])
})

test('a listener that throws does so where it did, and leaves no headers behind', () => {
  const request = Object.assign(new EventEmitter(), { rawHeaders: ['x-request-id', 'a-1'] })
  propagate(() => {})(request)
  request.on('theirs', () => {
    throw new Error('listener')
  })
  assert.throws(() => request.emit('theirs'), { message: 'listener' })
  assert.equal(id(), undefined)
})

test('requests in turn on one connection are each heard in their own scope', async (t) => {
  const heard = []
  const server = http.createServer(propagate((req, res) => {
    req.resume().on('end', () => heard.push(id())).on('close', () => heard.push(id()))
    res.on('finish', () => heard.push(id())).end()
  }))
  const socket = net.connect(await listen(t, server), '127.0.0.1').resume()
  t.after(() => socket.destroy())
  const request = (header) => `POST / HTTP/1.1\r\nhost: a\r\n${header}content-length: 1\r\n\r\nx`
  socket.write(request('x-request-id: a-1\r\n') + request('') + request('x-request-id: a-3\r\nconnection: close\r\n'))
  await once(socket, 'close')
  assert.deepEqual(heard.sort(), ['a-1', 'a-1', 'a-1', 'a-3', 'a-3', 'a-3', undefined, undefined, undefined])
})
