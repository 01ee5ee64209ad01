// Hapi. Its plugin is for the whole server, so there are two of these, behind one listener.

import http from 'node:http'
import Hapi from '@hapi/hapi'
import * as onward from 'onward'

import { listening, split } from './server.mjs'

async function application(call, ...plugins) {
  const server = Hapi.server({ listener: http.createServer(), autoListen: false })
  await server.register(plugins)
  const handler = (request) => call(request.query.to)
  server.route([
    { method: 'GET', path: '/attribute', handler: onward.propagate(handler) },
    { method: 'GET', path: '/{any}', handler }
  ])
  await server.initialize()
  return (...args) => server.listener.emit('request', ...args)
}

async function start(call) {
  return listening(http.createServer(split(await application(call, onward.hapi), await application(call))))
}

export const SERVERS = [{ name: 'Hapi', start }]
