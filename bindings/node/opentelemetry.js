'use strict'

const { orUntouched } = require('./lib/clients/failure')
const { defaultPropagator } = require('./lib/default')
const { beside, write } = require('./lib/headers')
const { destinationIn, reportedSpan } = require('./lib/opentelemetry')
const { joined, writer } = require('./lib/outbound')
const { storage } = require('./lib/scope')

const HEADERS = Symbol('onward forward headers')
/** A destination that nobody knows is in no mesh. */
const UNKNOWN = ''

class OnwardPropagator {
  #propagator

  constructor({ propagator = defaultPropagator() } = {}) {
    this.#propagator = propagator
  }

  inject(context, carrier, setter) {
    const headers = context.getValue(HEADERS) ?? storage.getStore()
    if (headers !== undefined) orUntouched(() => put(beside(headers, () => reportedSpan(context)), context, carrier, setter))
  }

  extract(context, carrier, getter) {
    const lines = () => getter.keys(carrier).flatMap((name) => [getter.get(carrier, name)].flat().map((value) => [name, value]))
    return orUntouched(() => context.setValue(HEADERS, this.#propagator.extract(lines())), context)
  }

  fields() {
    return this.#propagator.names.filter((name) => !name.endsWith('*'))
  }
}

function put(headers, context, carrier, setter) {
  const [kind, into] = writer(carrier)
  const set = (_, name, values, separator) => setter.set(carrier, name, joined(values, separator))
  write(headers, { each: kind.each, write: set }, into, destinationIn(context) ?? UNKNOWN)
}

module.exports = { OnwardPropagator }
