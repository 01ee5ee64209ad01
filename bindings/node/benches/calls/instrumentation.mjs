// OpenTelemetry's instrumentation of Node's servers and clients. Every span is recorded, and then thrown away.

import { createRequire } from 'node:module'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node'

import { composite } from '../contenders.mjs'

const exporter = {
  export: (_, done) => done({ code: 0 }),
  shutdown: async () => {}
}
const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] })
provider.register({ propagator: composite })
// They are enabled as they are made, and patch what is required from now on.
for (const instrumentation of [new HttpInstrumentation(), new UndiciInstrumentation()]) instrumentation.setTracerProvider(provider)
createRequire(import.meta.url)('node:http')
