// Fastify, over HTTP/1.1.

import fastify from 'fastify'
import * as onward from 'onward'

import { running } from './server.mjs'

async function start(call) {
  const app = fastify()
  const handler = (request) => call(request.query.to)
  app.get('/attribute', onward.propagate(handler))
  app.get('/bare', handler)
  app.register(async (inner) => {
    await inner.register(onward.fastify)
    inner.get('/middleware', handler)
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return running(app.server)
}

export const SERVERS = [{ name: 'Fastify', start }]
