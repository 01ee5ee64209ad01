// The one line and the request of every framework, under its own types. Compiled, and not run.

import Hapi from '@hapi/hapi'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'
import http from 'node:http'
import http2 from 'node:http2'
import * as onward from 'onward'

const propagator = new onward.Propagator()

http.createServer(onward.propagate((req: http.IncomingMessage, res: http.ServerResponse) => res.end(onward.getForwardHeaders(req)['jwt'])))
http2.createServer(onward.propagate((req: http2.Http2ServerRequest, res: http2.Http2ServerResponse) => {
  res.end(onward.getForwardHeaders(req)['jwt'])
}))
http2.createServer().on('stream', (stream, headers) => {
  onward.run(headers, () => stream.end(onward.getForwardHeaders(headers)['jwt']))
})

const application = express()
application.use(onward.express(), onward.express({ propagator }))
application.get('/', onward.propagate((req: express.Request, res: express.Response) => {
  res.json(onward.getForwardHeaders(req))
}))

const app = fastify()
await app.register(onward.fastify)
await app.register(onward.fastify, { propagator })
app.get('/', onward.propagate(async (request: fastify.FastifyRequest) => onward.getForwardHeaders(request)))

const koa = new Koa()
koa.use(onward.koa()).use(onward.koa({ propagator }))
koa.use(onward.propagate((ctx: Koa.Context) => {
  ctx.body = onward.getForwardHeaders(ctx)
}))

const server = Hapi.server()
await server.register(onward.hapi)
await server.register({ plugin: onward.hapi, options: { propagator } })
server.route({ method: 'GET', path: '/', handler: onward.propagate((request: Hapi.Request) => onward.getForwardHeaders(request)) })

const hono = new Hono()
hono.use(onward.hono(), onward.hono({ propagator }))
hono.get('/', onward.propagate(async (c) => c.json(onward.getForwardHeaders(c))))

export const GET = onward.propagate(async (request: Request) => Response.json(onward.getForwardHeaders(request)))

// @ts-expect-error not an option
onward.express({ preset: 'istio' })
// @ts-expect-error not a handler
onward.propagate('handler')
