// Koa. Its middleware is for the whole application, so there are two of these.

import http from 'node:http'
import { bodyParser } from '@koa/bodyparser'
import multer from '@koa/multer'
import Koa from 'koa'
import * as onward from 'onward'

import { listening, split, streamed } from './server.mjs'

function application(call, ...middleware) {
  const app = new Koa()
  const answer = async (context, to) => {
    context.body = await call(to)
  }
  const handler = (context) => answer(context, context.query.to)
  const routes = {
    '/attribute': onward.propagate(handler),
    '/explicit': (context) => {
      context.body = onward.getForwardHeaders(context)
    },
    '/middleware/body': (context) => answer(context, context.request.body.to),
    '/middleware/upload': (context) => answer(context, context.request.body.to),
    '/middleware/streamed': (context) => {
      context.body = streamed(() => call(context.query.to))
    },
    '/middleware/finished': (context) => {
      context.res.on('finish', () => call(context.query.to))
      context.body = 'later'
    },
    '/middleware/failed': async () => {
      throw new Error('failed')
    }
  }
  for (const each of middleware) app.use(each)
  app.use((context, next) => next().catch(() => handler(context)))
  app.use(bodyParser())
  app.use(multer().single('file'))
  app.use((context) => (routes[context.path] ?? handler)(context))
  return app.callback()
}

function start(call) {
  return listening(http.createServer(split(application(call, onward.koa()), application(call))))
}

export const SERVERS = [{ name: 'Koa', start }]
