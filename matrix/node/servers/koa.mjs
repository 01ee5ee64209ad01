// Koa. Its middleware is for the whole application, so there are two of these.

import http from 'node:http'
import Koa from 'koa'
import * as onward from 'onward'

import { listening, split } from './server.mjs'

function application(call, ...middleware) {
  const app = new Koa()
  const handler = async (context) => {
    context.body = await call(context.query.to)
  }
  const attribute = onward.propagate(handler)
  for (const each of middleware) app.use(each)
  app.use((context) => (context.path === '/attribute' ? attribute : handler)(context))
  return app.callback()
}

function start(call) {
  return listening(http.createServer(split(application(call, onward.koa()), application(call))))
}

export const SERVERS = [{ name: 'Koa', start }]
