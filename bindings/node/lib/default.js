'use strict'

const { OnwardError } = require('./errors')
const { Propagator } = require('./propagator')

let propagator
let settled = false

/** The propagator of this process; read from the environment at the first use. */
function defaultPropagator() {
  settled = true
  return preliminary()
}

/** The same for whoever does not use it yet: the program may still set another. */
function preliminary() {
  propagator ??= Propagator.fromEnv()
  return propagator
}

function setDefault(chosen) {
  if (!(chosen instanceof Propagator)) {
    throw new OnwardError('invalid_argument', typeof chosen, '`setDefault` takes a Propagator')
  }
  if (settled) {
    const message = '`setDefault` came after the default was set or used; call it once, first thing in the service'
    throw new OnwardError('default_already_set', 'setDefault', message)
  }
  settled = true
  propagator = chosen
}

module.exports = { defaultPropagator, preliminary, setDefault }
