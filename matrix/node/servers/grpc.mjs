// @grpc/grpc-js, asked by a gRPC call.

import grpc from '@grpc/grpc-js'
import { propagate } from 'onward'
import { serverInterceptor } from 'onward/grpc'

// By itself it writes to the terminal that it lacks a value.
grpc.setLogVerbosity(grpc.logVerbosity.NONE)

const ROUTES = ['attribute', 'middleware', 'bare']

function method(name) {
  const shape = { requestStream: false, responseStream: false }
  const bytes = (message) => Buffer.from(message)
  const text = (message) => message.toString()
  return {
    path: `/matrix.Relay/${name}`,
    ...shape,
    requestSerialize: bytes,
    requestDeserialize: text,
    responseSerialize: bytes,
    responseDeserialize: text
  }
}

async function start(call) {
  const covering = serverInterceptor()
  // Covers one method.
  const middleware = (method, inner) => (method.path.endsWith('/middleware') ? covering(method, inner) : inner)
  const server = new grpc.Server({ interceptors: [middleware] })
  const handler = ({ request }, answer) => {
    call(new URLSearchParams(request).get('to')).then((text) => answer(null, text), answer)
  }
  server.addService(Object.fromEntries(ROUTES.map((name) => [name, method(name)])), {
    attribute: propagate(handler),
    middleware: handler,
    bare: handler
  })
  const port = await new Promise((resolve, reject) => {
    const bound = (error, port) => (error === null ? resolve(port) : reject(error))
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), bound)
  })
  return { port, close: async () => server.forceShutdown() }
}

export const SERVERS = [{ name: 'gRPC', start, speaks: 'grpc', lacks: ['end-user'] }]
