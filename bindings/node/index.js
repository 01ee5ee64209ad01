'use strict'

const { OnwardError } = require('./lib/errors')
const { ForwardHeaders } = require('./lib/headers')
const { Propagator } = require('./lib/propagator')
const { defaultPropagator, setDefault } = require('./lib/default')
const { current, run, carry } = require('./lib/scope')
const { propagate, express, fastify, hapi, hono, koa } = require('./lib/servers')
const { instrument, uninstrument } = require('./lib/instrument')
const { undici } = require('./lib/clients/undici')
const { callsWithoutScope, onCallWithoutScope } = require('./lib/diagnostics')
const messages = require('./lib/messages')

function getForwardHeaders(carrier, destination) {
  return defaultPropagator().getForwardHeaders(carrier, destination)
}

function extract(carrier) {
  return defaultPropagator().extract(carrier)
}

function explain(carrier, destination, outbound) {
  if (carrier === undefined) return current().explain(destination, outbound)
  return defaultPropagator().explain(carrier, destination, outbound)
}

module.exports = {
  ForwardHeaders,
  OnwardError,
  Propagator,
  carry,
  current,
  defaultPropagator,
  diagnostics: { callsWithoutScope, onCallWithoutScope },
  explain,
  express,
  extract,
  fastify,
  getForwardHeaders,
  hapi,
  hono,
  instrument,
  koa,
  messages,
  propagate,
  run,
  setDefault,
  undici,
  uninstrument
}
