// Fastify, over HTTP/1.1.

import multipart from '@fastify/multipart'
import fastify from 'fastify'
import * as onward from 'onward'

import { running, streamed } from './server.mjs'

async function start(call) {
  const app = fastify()
  const handler = (request) => call(request.query.to)
  app.get('/attribute', onward.propagate(handler))
  app.get('/bare', handler)
  app.get('/explicit', (request) => onward.getForwardHeaders(request))
  app.register((inner) => covered(inner, handler, call), { prefix: '/middleware' })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return running(app.server)
}

async function covered(app, handler, call) {
  await app.register(onward.fastify)
  await app.register(multipart, { attachFieldsToBody: 'keyValues' })
  app.setErrorHandler((error, request) => handler(request))
  app.get('/', handler)
  app.post('/body', (request) => call(request.body.to))
  app.post('/upload', (request) => call(request.body.to))
  app.get('/streamed', (request) => streamed(() => handler(request)))
  app.get('/finished', { onResponse: handler }, async () => 'later')
  app.get('/failed', async () => {
    throw new Error('failed')
  })
}

export const SERVERS = [{ name: 'Fastify', start }]
