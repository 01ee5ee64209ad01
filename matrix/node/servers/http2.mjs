// node:http2 in clear text: its compatibility API, and its streams.

import http2 from 'node:http2'
import * as onward from 'onward'

import { listening, target } from './server.mjs'

/** With the API of node:http. */
function startCompatible(call) {
  const handler = async (request, response) => response.end(await call(target(request.url)))
  const covered = onward.propagate(handler)
  return listening(http2.createServer((request, response) => (request.url.startsWith('/bare') ? handler : covered)(request, response)))
}

/** With streams, whose handler gets no request but its lines. */
function startStreams(call) {
  const server = http2.createServer()
  server.on('stream', (stream, headers, flags, lines) => {
    const handler = async () => stream.end(await call(target(headers[':path'])))
    return headers[':path'].startsWith('/bare') ? handler() : onward.run(lines, handler)
  })
  return listening(server)
}

export const SERVERS = [
  { name: 'node:http2', start: startCompatible, speaks: 'h2c' },
  { name: 'node:http2, streams', start: startStreams, speaks: 'h2c' }
]
