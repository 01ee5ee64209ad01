// node:http2 in clear text: with the API of node:http, and with its streams.

import http2 from 'node:http2'
import * as onward from 'onward'

import { listener } from './http.mjs'
import { listening, target } from './server.mjs'

/** A stream's handler gets no request, but its lines. */
function startStreams(call) {
  const server = http2.createServer()
  server.on('stream', (stream, headers, flags, lines) => {
    const path = headers[':path']
    const answer = async () => {
      if (path.startsWith('/explicit')) return JSON.stringify(onward.getForwardHeaders(lines))
      return call(target(path))
    }
    const handler = async () => stream.end(await answer())
    return path.startsWith('/bare') ? handler() : onward.run(lines, handler)
  })
  return listening(server)
}

export const SERVERS = [
  { name: 'node:http2', start: (call) => listening(http2.createServer(listener(call))), speaks: 'h2c' },
  { name: 'node:http2, streams', start: startStreams, speaks: 'h2c' }
]
