'use strict'

const { defaultPropagator } = require('./default')

// One file a client. Each has `start`, which fails where the client cannot be instrumented, and `stop`.
const CLIENTS = [require('./clients/fetch'), require('./clients/http')]

let started = false

function instrument() {
  if (started) return
  // A mistake in the environment shows here, at the start of the service.
  defaultPropagator()
  const running = []
  try {
    for (const client of CLIENTS) {
      client.start()
      running.push(client)
    }
  } catch (error) {
    for (const client of running) client.stop()
    throw error
  }
  started = true
}

function uninstrument() {
  if (!started) return
  for (const client of CLIENTS) client.stop()
  started = false
}

module.exports = { instrument, uninstrument }
