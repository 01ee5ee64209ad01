// Hapi. Its plugin is for the whole server, so there are two of these, behind one listener.

import http from 'node:http'
import Hapi from '@hapi/hapi'
import * as onward from 'onward'

import { listening, split, streamed } from './server.mjs'

/** An application that does not listen by itself. */
export async function application(call, ...plugins) {
  // By itself, Hapi refuses cookies that are not as the standard has them.
  const routes = { state: { failAction: 'ignore' } }
  const server = Hapi.server({ listener: http.createServer(), autoListen: false, routes })
  await server.register(plugins)
  const handler = (request) => call(request.query.to)
  const onBody = (request) => call(request.payload.to)
  server.route([
    { method: 'GET', path: '/attribute', handler: onward.propagate(handler) },
    { method: 'GET', path: '/explicit', handler: (request) => onward.getForwardHeaders(request) },
    { method: 'GET', path: '/{any}', handler },
    { method: 'POST', path: '/middleware/body', handler: onBody },
    { method: 'POST', path: '/middleware/upload', handler: onBody, options: { payload: { multipart: true } } },
    { method: 'GET', path: '/middleware/streamed', handler: (request) => streamed(() => handler(request)) },
    { method: 'GET', path: '/middleware/finished', handler: () => 'later' },
    {
      method: 'GET',
      path: '/middleware/failed',
      handler: () => {
        throw new Error('failed')
      }
    }
  ])
  server.ext('onPreResponse', (request, h) => (request.path.endsWith('/failed') ? handler(request) : h.continue))
  server.events.on('response', (request) => request.path.endsWith('/finished') && handler(request))
  await server.start()
  return server
}

async function start(call) {
  const [covered, bare] = await Promise.all([application(call, onward.hapi), application(call)])
  const to = ({ listener }) => (...args) => listener.emit('request', ...args)
  return listening(http.createServer(split(to(covered), to(bare))))
}

export const SERVERS = [{ name: 'Hapi', start }]
