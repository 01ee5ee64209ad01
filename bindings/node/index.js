'use strict'

const { OnwardError } = require('./lib/errors')
const { ForwardHeaders } = require('./lib/headers')
const { Propagator } = require('./lib/propagator')
const { defaultPropagator, setDefault } = require('./lib/default')
const { current, run, carry, propagate, express } = require('./lib/scope')
const { instrument, uninstrument } = require('./lib/instrument')
const messages = require('./lib/messages')

function getForwardHeaders(carrier, destination) {
  return defaultPropagator().getForwardHeaders(carrier, destination)
}

function extract(carrier) {
  return defaultPropagator().extract(carrier)
}

function explain(carrier, destination, outbound) {
  return defaultPropagator().explain(carrier, destination, outbound)
}

module.exports = {
  ForwardHeaders,
  OnwardError,
  Propagator,
  carry,
  current,
  defaultPropagator,
  explain,
  express,
  extract,
  getForwardHeaders,
  instrument,
  messages,
  propagate,
  run,
  setDefault,
  uninstrument
}
