// Express, of both generations.

import http from 'node:http'
import express4 from 'express4'
import express5 from 'express5'
import * as onward from 'onward'

import { listening, target } from './server.mjs'

function application(express, call) {
  const app = express()
  // Express 4 does not wait for what a handler returns.
  const handler = (request, response, next) => call(target(request.url)).then((text) => response.send(text), next)
  app.get('/attribute', onward.propagate(handler))
  app.use('/middleware', onward.express())
  app.get(['/bare', '/middleware'], handler)
  return app
}

const start = (express) => (call) => listening(http.createServer(application(express, call)))

export const SERVERS = [
  { name: 'Express 4', start: start(express4) },
  { name: 'Express 5', start: start(express5) }
]
