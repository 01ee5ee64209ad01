'use strict'

const { OnwardError } = require('./errors')
const { Propagator } = require('./propagator')

let propagator

/** The propagator of this process; read from the environment at the first use. */
function defaultPropagator() {
  propagator ??= Propagator.fromEnv()
  return propagator
}

function setDefault(chosen) {
  if (!(chosen instanceof Propagator)) {
    throw new OnwardError('invalid_argument', typeof chosen, '`setDefault` takes a Propagator')
  }
  if (propagator !== undefined) {
    const message = '`setDefault` came after the default was set or used; call it once, first thing in the service'
    throw new OnwardError('default_already_set', 'setDefault', message)
  }
  propagator = chosen
}

module.exports = { defaultPropagator, setDefault }
