// What node:http writes of values that are not ASCII depends on what is written with them. Compared byte for byte, on the wire.

import assert from 'node:assert/strict'
import http from 'node:http'
import net from 'node:net'
import test from 'node:test'

import * as onward from '../index.mjs'
import { listen } from './servers.mjs'

const OWN = 'jas\xc3\xb6n \xe9'
const FORMS = {
  'without a body': (request) => request.end(),
  'with a body of text': (request) => request.end('\u{1f600}'),
  'with a body of bytes': (request) => request.end(Buffer.from('\u{1f600}')),
  'with a body in pieces': (request) => {
    request.write('\u{1f600}')
    request.end('a')
  }
}
const HEADERS = {
  'in an object': { 'host': 'a', 'x-own': OWN },
  'in a flat array': ['host', 'a', 'x-own', OWN],
  'in pairs': [['host', 'a'], ['x-own', OWN]]
}

/** What a server gets until it has the whole of one request, as Latin-1 text. */
async function wire(t) {
  let got
  const port = await listen(t, net.createServer((socket) => {
    let text = ''
    socket.setEncoding('latin1').on('data', (piece) => {
      text += piece
      if (!isWhole(text)) return
      got(text)
      socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
    })
  }))
  return (method, headers, send) => new Promise((resolve, reject) => {
    got = resolve
    const request = http.request(`http://127.0.0.1:${port}/`, { method, headers, agent: false })
    send(request.on('error', reject))
  })
}

/** Whether `text` is all of a request: its head, and a body as long as that says. */
function isWhole(text) {
  const end = text.indexOf('\r\n\r\n') + 4
  if (end < 4) return false
  if (/^transfer-encoding: chunked/im.test(text)) return text.endsWith('\r\n0\r\n\r\n')
  return text.length === end + Number(/^content-length: (\d+)/im.exec(text)?.[1] ?? 0)
}

const lineOf = (text, name) => text.split('\r\n').filter((line) => line.startsWith(`${name}: `))

for (const [form, send] of Object.entries(FORMS)) {
  const method = form === 'without a body' ? 'GET' : 'POST'
  for (const [how, headers] of Object.entries(HEADERS)) {
    test(`the caller's own value, ${how}, ${form}, leaves as without Onward where nothing is added, or only ASCII`, async (t) => {
      const sent = await wire(t)
      const plain = await sent(method, headers, send)
      onward.instrument()
      t.after(onward.uninstrument)
      assert.equal(await sent(method, headers, send), plain)
      assert.equal(await onward.run([['x-not-listed', 'a']], () => sent(method, headers, send)), plain)
      const added = await onward.run([['x-request-id', 'a-1']], () => sent(method, headers, send))
      assert.equal(added.replace('x-request-id: a-1\r\n', ''), plain)
      assert.notEqual(added, plain)
    })
  }

  test(`a value that is not ASCII and forwarded leaves byte for byte ${form}`, async (t) => {
    const sent = await wire(t)
    onward.instrument()
    t.after(onward.uninstrument)
    const text = await onward.run([['end-user', OWN]], () => sent(method, { host: 'a', 'x-own': OWN }, send))
    assert.deepEqual(lineOf(text, 'end-user'), [`end-user: ${OWN}`])
    assert.deepEqual(lineOf(text, 'x-own'), [`x-own: ${OWN}`])
    if (method === 'POST') assert.match(text, /\xf0\x9f\x98\x80/)
  })
}
