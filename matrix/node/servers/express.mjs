// Express, of both generations.

import http from 'node:http'
import express4 from 'express4'
import express5 from 'express5'
import multer from 'multer'
import * as onward from 'onward'

import { listening, streamed, target } from './server.mjs'

function application(express, call) {
  const app = express()
  // Express 4 does not wait for what a handler returns.
  const answer = (response, next, to) => call(to).then((text) => response.send(text), next)
  const handler = (request, response, next) => answer(response, next, target(request.url))
  app.get('/attribute', onward.propagate(handler))
  app.get('/explicit', (request, response) => response.json(onward.getForwardHeaders(request)))
  app.use('/middleware', onward.express())
  app.get(['/bare', '/middleware'], handler)
  app.post('/middleware/body', express.json(), (request, response, next) => answer(response, next, request.body.to))
  app.post('/middleware/upload', multer().single('file'), (request, response, next) => answer(response, next, request.body.to))
  app.get('/middleware/streamed', (request, response) => streamed(() => call(target(request.url))).pipe(response))
  app.get('/middleware/finished', (request, response) => response.on('finish', () => call(target(request.url))).send('later'))
  app.get('/middleware/failed', (request, response, next) => setImmediate(next, new Error('failed')))
  app.use((error, request, response, next) => handler(request, response, next))
  return app
}

const start = (express) => (call) => listening(http.createServer(application(express, call)))

export const SERVERS = [
  { name: 'Express 4', start: start(express4) },
  { name: 'Express 5', start: start(express5) }
]
