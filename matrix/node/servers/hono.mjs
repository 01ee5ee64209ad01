// Hono on Node's server, and a handler of the Fetch standard on the same: what Next.js and others call a route handler.

import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { streamText } from 'hono/streaming'
import * as onward from 'onward'

import { listening, target } from './server.mjs'

const serving = (fetch) => listening(createServer(getRequestListener(fetch)))

function startHono(call) {
  const app = new Hono()
  const handler = async (context) => context.text(await call(context.req.query('to')))
  app.get('/attribute', onward.propagate(handler))
  app.get('/bare', handler)
  app.get('/explicit', (context) => context.json(onward.getForwardHeaders(context)))
  app.use('/middleware/*', onward.hono())
  app.get('/middleware', handler)
  app.post('/middleware/body', async (context) => context.text(await call((await context.req.json()).to)))
  app.post('/middleware/upload', async (context) => context.text(await call((await context.req.parseBody()).to)))
  app.get('/middleware/streamed', (context) => streamText(context, async (stream) => {
    await stream.write(' ')
    await stream.write(await call(context.req.query('to')))
  }))
  app.get('/middleware/finished', (context) => {
    context.env.outgoing.on('finish', () => call(context.req.query('to')))
    return context.text('later')
  })
  app.get('/middleware/failed', async () => {
    throw new Error('failed')
  })
  app.onError((error, context) => handler(context))
  return serving(app.fetch)
}

function startFetch(call) {
  const handler = async (request) => {
    const { pathname } = new URL(request.url)
    if (pathname === '/explicit') return Response.json(onward.getForwardHeaders(request))
    if (pathname === '/middleware/body') return new Response(await call((await request.json()).to))
    if (pathname === '/middleware/upload') return new Response(await call((await request.formData()).get('to')))
    if (pathname === '/middleware/streamed') return new Response(pieces(() => call(target(request.url))))
    return new Response(await call(target(request.url)))
  }
  const covered = onward.propagate(handler)
  return serving((request) => (new URL(request.url).pathname === '/bare' ? handler : covered)(request))
}

function pieces(last) {
  return new ReadableStream({
    async start(controller) {
      controller.enqueue(Buffer.from(' '))
      controller.enqueue(Buffer.from(await last()))
      controller.close()
    }
  })
}

export const SERVERS = [
  { name: 'Hono', start: startHono },
  { name: 'Fetch handler', start: startFetch }
]
