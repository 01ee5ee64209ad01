// OpenTelemetry with its instrumentation of node:http, Express and undici.

'use strict'

const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-http')
const { ExpressInstrumentation } = require('@opentelemetry/instrumentation-express')
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http')
const { UndiciInstrumentation } = require('@opentelemetry/instrumentation-undici')
const { defaultResource, resourceFromAttributes } = require('@opentelemetry/resources')
const { BatchSpanProcessor, NodeTracerProvider } = require('@opentelemetry/sdk-trace-node')

new NodeTracerProvider({
  resource: defaultResource().merge(resourceFromAttributes({ 'service.name': process.env.OTEL_SERVICE_NAME })),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())]
}).register()

const isHealth = ({ url }) => url === '/health'
new HttpInstrumentation({ ignoreIncomingRequestHook: isHealth }).enable()
new ExpressInstrumentation().enable()
new UndiciInstrumentation().enable()
