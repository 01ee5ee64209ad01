// What Onward is compared with.

import { ROOT_CONTEXT, defaultTextMapGetter, defaultTextMapSetter } from '@opentelemetry/api'
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core'
import { B3InjectEncoding, B3Propagator } from '@opentelemetry/propagator-b3'

/** What the policy of the benchmarks forwards by name. */
export const NAMES = [
  'x-request-id', 'x-ot-span-context', 'x-datadog-trace-id', 'x-datadog-parent-id', 'x-datadog-sampling-priority', 'traceparent',
  'tracestate', 'x-cloud-trace-context', 'grpc-trace-bin', 'x-b3-traceid', 'x-b3-spanid', 'x-b3-parentspanid', 'x-b3-sampled',
  'x-b3-flags', 'sw8', 'end-user', 'user-agent', 'cookie', 'authorization', 'jwt', 'b3', 'baggage', 'x-datadog-origin',
  'x-datadog-tags', 'sw8-correlation', 'sw8-x', 'x-tenant-id'
]

/** The loop that everybody writes; `get` reads one header. */
export function handWritten(get) {
  const forward = {}
  for (const name of NAMES) {
    const value = get(name)
    if (value !== undefined && value !== null) forward[name] = value
  }
  return forward
}

export const composite = new CompositePropagator({
  propagators: [
    new W3CTraceContextPropagator(),
    new W3CBaggagePropagator(),
    new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER })
  ]
})

/** OpenTelemetry's propagators, from one carrier into an empty one. */
export function openTelemetry(carrier, getter = defaultTextMapGetter) {
  const forward = {}
  composite.inject(composite.extract(ROOT_CONTEXT, carrier, getter), forward, defaultTextMapSetter)
  return forward
}
