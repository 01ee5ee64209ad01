// Nest, on each of its adapters. Decorators are called by hand: JavaScript has no syntax for them yet.

import 'reflect-metadata'
import { Controller, Get, Module, Req } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import * as onward from 'onward'

import { running } from './server.mjs'

function module(call) {
  class Relay {
    plain(request) {
      return call(request.query.to)
    }
  }
  Relay.prototype.attribute = onward.propagate(Relay.prototype.plain)
  route(Relay, 'attribute', '/attribute')
  route(Relay, 'plain', ['/bare', '/middleware'])
  Controller()(Relay)
  class Application {}
  Module({ controllers: [Relay] })(Application)
  return Application
}

/** `@Get(path) method(@Req() request)` */
function route({ prototype }, method, path) {
  Req()(prototype, method, 0)
  Get(path)(prototype, method, Object.getOwnPropertyDescriptor(prototype, method))
}

const start = (Adapter) => async (call) => {
  const app = await NestFactory.create(module(call), new Adapter(), { logger: false })
  app.use('/middleware', onward.express())
  await app.listen(0, '127.0.0.1')
  return running(app.getHttpServer())
}

export const SERVERS = [
  { name: 'Nest on Express', start: start(ExpressAdapter) },
  { name: 'Nest on Fastify', start: start(FastifyAdapter) }
]
