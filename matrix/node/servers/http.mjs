// node:http: a handler is all there is to it, so `propagate` is the one line too.

import http from 'node:http'
import { propagate } from 'onward'

import { listening, target } from './server.mjs'

function listener(call) {
  const handler = async (request, response) => response.end(await call(target(request.url)))
  const covered = propagate(handler)
  return (request, response) => (request.url.startsWith('/bare') ? handler : covered)(request, response)
}

export const SERVERS = [{ name: 'node:http', start: (call) => listening(http.createServer(listener(call))) }]
