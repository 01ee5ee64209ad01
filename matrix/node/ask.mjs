// Sends the inbound request to a server.

import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import { buffer, text } from 'node:stream/consumers'

import { LINES } from './inbound.mjs'

const PATIENCE = 20_000

/**
 * Asks a server for `route`, to call the URL `to`, and gives the answer's text.
 *
 * @param {'http/1.1' | 'h2c' | 'grpc'} speaks
 */
export function ask(speaks, port, route, to) {
  const query = `${new URLSearchParams({ to })}`
  if (speaks === 'grpc') return overGrpc(port, route, query)
  return speaks === 'h2c' ? overHttp2(port, `${route}?${query}`) : overHttp1(port, `${route}?${query}`)
}

async function overHttp1(port, path) {
  const headers = ['host', `127.0.0.1:${port}`, ...LINES.flat()]
  const request = http.get({ port, host: '127.0.0.1', path, headers, agent: false, signal: AbortSignal.timeout(PATIENCE) })
  const [response] = await once(request, 'response')
  return answer(response.statusCode, await text(response))
}

async function overHttp2(port, path) {
  const { status, body } = await exchange(port, { ':path': path })
  return answer(status, body.toString())
}

/** By an HTTP/2 client that sends every header as it is, which gRPC's own does not. */
async function overGrpc(port, route, query) {
  const framing = { ':method': 'POST', te: 'trailers', 'content-type': 'application/grpc' }
  const { failure, body } = await exchange(port, { ':path': `/matrix.Relay${route}`, ...framing }, message(query))
  if (body.length === 0) throw new Error(failure ?? 'no answer')
  return body.subarray(5).toString()
}

async function exchange(port, pseudo, content) {
  const session = http2.connect(`http://127.0.0.1:${port}`)
  try {
    const stream = session.request({ ...pseudo, ...repeatable(LINES) }, { signal: AbortSignal.timeout(PATIENCE) })
    let failure
    stream.on('trailers', (trailers) => (failure = trailers['grpc-message']))
    stream.end(content)
    const [headers] = await once(stream, 'response')
    failure = headers['grpc-message']
    return { status: headers[':status'], body: await buffer(stream), failure }
  } finally {
    session.destroy()
  }
}

/** A text as a gRPC message. */
export function message(content) {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(Buffer.byteLength(content), 1)
  return Buffer.concat([head, Buffer.from(content)])
}

function repeatable(lines) {
  const headers = {}
  for (const [name, value] of lines) headers[name] = name in headers ? [headers[name], value].flat() : value
  return headers
}

function answer(status, body) {
  // Hapi calls an empty text no content.
  if (status >= 300) throw new Error(`${status}: ${body}`)
  return body
}
