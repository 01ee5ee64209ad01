// HTTP/2: its requests are read as they came, and the parser lets nothing through that may not be forwarded.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http2 from 'node:http2'
import net from 'node:net'
import test from 'node:test'

import { current, extract, getForwardHeaders, propagate } from '../index.mjs'
import { listen } from './servers.mjs'

const HEADERS = {
  'x-request-id': '7f6c',
  'tracestate': ['a=1', 'b=2'],
  'x-b3-sampled': '',
  'end-user': 'jas\xc3\xb6n\xff',
  'cookie': 'a=b; c="d e"',
  'x-not-listed': 'stays'
}

/** What `handler` gives for a request with these headers. */
async function handled(t, handler, headers) {
  let given
  const server = http2.createServer((request, response) => {
    given = handler(request)
    response.end()
  })
  const session = http2.connect(`http://127.0.0.1:${await listen(t, server)}`)
  await once(session.request({ ':path': '/reviews', ...headers }).resume(), 'end')
  session.destroy()
  return given
}

test('a request of HTTP/2 is read byte for byte, its repeated lines apart', async (t) => {
  const lines = await handled(t, (request) => [...extract(request)], HEADERS)
  assert.deepEqual(lines, [
    ['x-request-id', '7f6c'],
    ['tracestate', 'a=1'],
    ['tracestate', 'b=2'],
    ['end-user', 'jas\xc3\xb6n\xff'],
    ['cookie', 'a=b; c="d e"']
  ])
})

test('its plain object of headers is a carrier, and so are the lines of a stream', async (t) => {
  const { tracestate, ...others } = HEADERS
  const expected = { 'x-request-id': '7f6c', 'end-user': 'jas\xc3\xb6n\xff', 'cookie': 'a=b; c="d e"' }
  assert.deepEqual(await handled(t, (request) => getForwardHeaders(request.headers), others), expected)
  assert.deepEqual(await handled(t, (request) => getForwardHeaders(request.rawHeaders), others), expected)
})

test('the scope holds for what request and response emit', async (t) => {
  const seen = []
  const handler = propagate((request, response) => {
    request.on('data', () => seen.push(current().get('jwt')))
    request.on('end', () => response.end(() => seen.push(current().get('jwt'))))
  })
  const server = http2.createServer(handler)
  const session = http2.connect(`http://127.0.0.1:${await listen(t, server)}`)
  const stream = session.request({ ':method': 'POST', 'jwt': 'a' })
  stream.resume().end('x'.repeat(10))
  await once(stream, 'close')
  session.destroy()
  assert.deepEqual(seen, ['a', 'a'])
})

const frame = (type, flags, stream, payload) => {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.set([type, flags], 3)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}
/** HPACK: a literal without indexing, and without Huffman's code. */
const literal = (name, value) => Buffer.from(`\0${String.fromCharCode(name.length)}${name}${String.fromCharCode(value.length)}${value}`, 'latin1')

test('a value with a forbidden byte does not come through the parser', async (t) => {
  const received = []
  const server = http2.createServer((request, response) => {
    received.push(extract(request).toObject())
    response.end()
  })
  const port = await listen(t, server)
  for (const [value, expected] of [['good', { jwt: 'good' }], ['a\r\nb', {}], ['a\nb', {}], ['a\0b', {}]]) {
    const fields = [[':method', 'GET'], [':scheme', 'http'], [':path', '/'], [':authority', 'a'], ['jwt', value]]
    const socket = net.connect(port, '127.0.0.1')
    const block = Buffer.concat(fields.map(([name, text]) => literal(name, text)))
    socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, 0, Buffer.alloc(0)), frame(1, 5, 1, block)]))
    // The answer, or the refusal, of the stream: frames of type 0, 1 or 3.
    await answered(socket)
    socket.destroy()
    assert.deepEqual(received.splice(0), [expected], JSON.stringify(value))
  }
})

async function answered(socket) {
  let bytes = Buffer.alloc(0)
  for await (const piece of socket) {
    bytes = Buffer.concat([bytes, piece])
    while (bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
      if ([0, 1, 3].includes(bytes[3])) return
      bytes = bytes.subarray(9 + bytes.readUIntBE(0, 3))
    }
  }
}
