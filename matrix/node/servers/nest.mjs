// Nest, on each of its adapters. Decorators are called by hand: JavaScript has no syntax for them yet.

import 'reflect-metadata'
import multipart from '@fastify/multipart'
import { Controller, Get, Module, Post, Req, StreamableFile, UseInterceptors } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter, FileInterceptor } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import * as onward from 'onward'

import { running, streamed } from './server.mjs'

function module(call, upload) {
  class Relay {
    plain(request) {
      return call(request.query.to)
    }

    explicit(request) {
      return onward.getForwardHeaders(request)
    }

    body(request) {
      return call(request.body.to)
    }

    upload(request) {
      return call(request.body.to)
    }

    streamed(request) {
      return new StreamableFile(streamed(() => call(request.query.to)))
    }

    async failed() {
      throw new Error('failed')
    }
  }
  Relay.prototype.attribute = onward.propagate(Relay.prototype.plain)
  route(Relay, 'attribute', Get('/attribute'))
  route(Relay, 'plain', Get(['/bare', '/middleware']))
  route(Relay, 'explicit', Get('/explicit'))
  route(Relay, 'body', Post('/middleware/body'))
  route(Relay, 'upload', Post('/middleware/upload'), ...upload)
  route(Relay, 'streamed', Get('/middleware/streamed'))
  route(Relay, 'failed', Get('/middleware/failed'))
  Controller()(Relay)
  class Application {}
  Module({ controllers: [Relay] })(Application)
  return Application
}

/** `@Get(path) method(@Req() request)` */
function route({ prototype }, method, ...decorators) {
  Req()(prototype, method, 0)
  for (const decorate of decorators) decorate(prototype, method, Object.getOwnPropertyDescriptor(prototype, method))
}

/** What answers where a handler has failed. */
function filter(app, call) {
  return {
    async catch(error, host) {
      const [request, response] = host.getArgs()
      app.getHttpAdapter().reply(response, await call(request.query.to), 200)
    }
  }
}

const start = (adapter, upload, prepare) => async (call) => {
  const app = await NestFactory.create(module(call, upload), adapter(), { logger: false })
  await prepare?.(app)
  app.use('/middleware', onward.express())
  app.useGlobalFilters(filter(app, call))
  await app.listen(0, '127.0.0.1')
  return running(app.getHttpServer())
}

const onFastify = (app) => app.register(multipart, { attachFieldsToBody: 'keyValues' })

export const SERVERS = [
  { name: 'Nest on Express', start: start(() => new ExpressAdapter(), [UseInterceptors(FileInterceptor('file'))]) },
  { name: 'Nest on Fastify', start: start(() => new FastifyAdapter(), [], onFastify) }
]
