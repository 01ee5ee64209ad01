'use strict'

const { current } = require('./lib/scope')

function pinoMixin() {
  return fill({})
}

function winstonFormat() {
  return { transform: fill }
}

/** Gives a record the ids that there are; what it has already stays. */
function fill(record) {
  const { requestId, traceId } = current()
  if (requestId !== undefined) record.request_id ??= requestId
  if (traceId !== undefined) record.trace_id ??= traceId
  return record
}

module.exports = { pinoMixin, winstonFormat }
