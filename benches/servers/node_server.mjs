// Node's own server: `node node_server.mjs PORT`. One handler for each way to forward, chosen by the path.

import http from 'node:http'
import { createRequire } from 'node:module'

// The binding's own dependencies have OpenTelemetry.
const require = createRequire(new URL('../../bindings/node/package.json', import.meta.url))
const onward = require('./index.js')
const { context, defaultTextMapGetter, ROOT_CONTEXT } = require('@opentelemetry/api')
const { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } = require('@opentelemetry/core')
const { B3InjectEncoding, B3Propagator } = require('@opentelemetry/propagator-b3')

const names = [
  'x-request-id', 'x-ot-span-context', 'x-datadog-trace-id', 'x-datadog-parent-id', 'x-datadog-sampling-priority',
  'traceparent', 'tracestate', 'x-cloud-trace-context', 'grpc-trace-bin', 'x-b3-traceid', 'x-b3-spanid',
  'x-b3-parentspanid', 'x-b3-sampled', 'x-b3-flags', 'sw8', 'end-user', 'user-agent', 'cookie', 'authorization', 'jwt',
  'b3', 'baggage', 'x-datadog-origin', 'x-datadog-tags', 'sw8-correlation', 'sw8-x'
]

const composite = new CompositePropagator({
  propagators: [
    new W3CTraceContextPropagator(),
    new W3CBaggagePropagator(),
    new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER })
  ]
})

let forward

const plain = (request, response) => response.end('ok')

const WAYS = {
  '/none': plain,
  '/hand_written': (request, response) => {
    forward = {}
    for (const name of names) {
      const value = request.headers[name]
      if (value !== undefined) forward[name] = value
    }
    response.end('ok')
  },
  '/opentelemetry': (request, response) => {
    const extracted = composite.extract(ROOT_CONTEXT, request.headers, defaultTextMapGetter)
    context.with(extracted, plain, undefined, request, response)
  },
  '/onward': onward.propagate(plain),
  '/cpu': (request, response) => {
    const { user, system } = process.cpuUsage()
    response.end(String((user + system) * 1000))
  }
}

const server = http.createServer((request, response) => WAYS[request.url](request, response))
server.keepAliveTimeout = 60_000
server.listen(Number(process.argv[2]), '127.0.0.1')
