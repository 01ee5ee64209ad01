// The service in Node: node:http and fetch, which know nothing of Onward; `--require onward/register` starts it.

'use strict'

const http = require('node:http')

const { HOST, PORT, NEXT_HOSTNAME, NEXT_SERVICE_PORT, OTEL_PROPAGATORS, OTEL_SERVICE_NAME } = process.env
const next = `http://${NEXT_HOSTNAME}:${NEXT_SERVICE_PORT}/page`

/** Calls the next one. */
const page = async () => (await fetch(next)).text()

/** What handles a request beside OpenTelemetry: `handle` within a span that is the current one. */
function withSpans(handle) {
  const { ROOT_CONTEXT, SpanKind, propagation } = require('@opentelemetry/api')
  const { CompositePropagator, W3CTraceContextPropagator } = require('@opentelemetry/core')
  const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-http')
  const { AWSXRayPropagator } = require('@opentelemetry/propagator-aws-xray')
  const { B3Propagator } = require('@opentelemetry/propagator-b3')
  const { defaultResource, resourceFromAttributes } = require('@opentelemetry/resources')
  const { BatchSpanProcessor, NodeTracerProvider } = require('@opentelemetry/sdk-trace-node')

  const provider = new NodeTracerProvider({
    resource: defaultResource().merge(resourceFromAttributes({ 'service.name': OTEL_SERVICE_NAME })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())]
  })
  const known = { tracecontext: W3CTraceContextPropagator, b3: B3Propagator, xray: AWSXRayPropagator }
  const propagators = OTEL_PROPAGATORS.split(',').map((name) => new known[name]())
  provider.register({ propagator: new CompositePropagator({ propagators }) })
  const tracer = provider.getTracer('front')
  return (request) => {
    const parent = propagation.extract(ROOT_CONTEXT, request.headers)
    return tracer.startActiveSpan('page', { kind: SpanKind.SERVER }, parent, async (span) => {
      try {
        return await handle()
      } finally {
        span.end()
      }
    })
  }
}

const handle = OTEL_SERVICE_NAME === undefined ? page : withSpans(page)

http.createServer(async (request, response) => {
  if (request.url === '/health') return response.end()
  try {
    response.end(await handle(request))
  } catch (error) {
    response.writeHead(502).end(String(error))
  }
}).listen(Number(PORT), HOST)
