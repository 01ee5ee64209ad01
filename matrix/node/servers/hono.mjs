// Hono on Node's server, and a handler of the Fetch standard on the same: what Next.js and others call a route handler.

import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import * as onward from 'onward'

import { listening, target } from './server.mjs'

const serving = (fetch) => listening(createServer(getRequestListener(fetch)))

function startHono(call) {
  const app = new Hono()
  const handler = async (context) => context.text(await call(context.req.query('to')))
  app.get('/attribute', onward.propagate(handler))
  app.get('/bare', handler)
  app.use('/middleware', onward.hono())
  app.get('/middleware', handler)
  return serving(app.fetch)
}

function startFetch(call) {
  const handler = async (request) => new Response(await call(target(request.url)))
  const covered = onward.propagate(handler)
  return serving((request) => (new URL(request.url).pathname === '/bare' ? handler : covered)(request))
}

export const SERVERS = [
  { name: 'Hono', start: startHono },
  { name: 'Fetch handler', start: startFetch }
]
