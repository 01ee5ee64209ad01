'use strict'

// OpenTelemetry as a program has it: every copy of `@opentelemetry/api` 1.x registers what it was given under one symbol, and
// keeps the span under another. Nothing is loaded for that.

const API = Symbol.for('opentelemetry.js.api.1')
const SPAN = Symbol.for('OpenTelemetry Context Key SPAN')
const SAMPLED = 1
const CLIENT = 2

const GETTER = {
  keys: (lines) => [...lines.keys()],
  get: (lines, name) => lines.get(name.toLowerCase())
}

/** The span in `context`, by default the current one, if it will be reported. */
function reportedSpan(context = globalThis[API]?.context?.active()) {
  const span = context?.getValue(SPAN)
  return span?.isRecording() === true && isSampled(span.spanContext()) ? span : undefined
}

/**
 * The context of the span that a tracer has put on a request whose lines `each` visits: a client's span, which may never be
 * current where headers are added. Undefined if that is `span` itself, or of another trace.
 */
function spanOnRequest(span, each) {
  const { context, propagation } = globalThis[API] ?? {}
  if (propagation === undefined) return undefined
  const lines = new Map()
  each((name, value) => {
    const lower = String(name).toLowerCase()
    if (!lines.has(lower)) lines.set(lower, String(value))
  })
  const put = propagation.extract(context.active().deleteValue(SPAN), lines, GETTER).getValue(SPAN)?.spanContext()
  const isOther = put !== undefined && put.traceId === span.traceId && put.spanId !== span.spanId
  return isOther && isSampled(put) ? put : undefined
}

/** Where the client goes whose span is in `context`, as far as the span tells it; undefined otherwise. */
function destinationIn(context) {
  const span = context.getValue(SPAN)
  // What a server's span tells is where its own request went.
  const url = span?.kind === CLIENT ? span.attributes?.['url.full'] : undefined
  return typeof url === 'string' ? url : undefined
}

function isSampled({ traceFlags }) {
  return (traceFlags & SAMPLED) !== 0
}

module.exports = { destinationIn, reportedSpan, spanOnRequest }
