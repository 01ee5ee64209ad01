// @grpc/grpc-js: instrumented, and with Onward's interceptor. It follows no redirects.

import grpc from '@grpc/grpc-js'
import { clientInterceptor } from 'onward/grpc'

import { callerHeaders } from './client.mjs'

const PATIENCE = 20_000
// gRPC takes printable ASCII only, and writes its own `user-agent`.
const SHARED = { follows: false, speaks: 'grpc', lacks: ['end-user', 'user-agent'], pads: true }

/** A call whose method is the URL's path. */
function call(url, optionsFor = () => ({})) {
  const { host, pathname, search } = new URL(url)
  // A name would be looked for in the DNS a second time, for a configuration.
  const options = { 'grpc.service_config_disable_resolution': 1, ...optionsFor(host) }
  const client = new grpc.Client(host, grpc.credentials.createInsecure(), options)
  const metadata = new grpc.Metadata()
  for (const [name, value] of Object.entries(callerHeaders(url))) metadata.set(name, value)
  const bytes = (message) => Buffer.from(message)
  const text = (message) => message.toString()
  const deadline = Date.now() + PATIENCE
  return new Promise((resolve) => {
    const answer = (error, message) => resolve(error === null ? message : String(error))
    client.makeUnaryRequest(`${pathname}${search}`, bytes, text, '', metadata, { deadline }, answer)
  }).finally(() => client.close())
}

export const CLIENTS = [
  {
    ...SHARED,
    name: '@grpc/grpc-js',
    instrumented: true,
    call: (url) => call(url)
  },
  {
    ...SHARED,
    name: '@grpc/grpc-js, `clientInterceptor`',
    call: (url) => call(url, (host) => ({ interceptors: [clientInterceptor(host)] }))
  }
]
