'use strict'

const { preliminary } = require('./default')
const { known } = require('./options')

// By the names of what is hooked. Each has `start`, which fails where that cannot be instrumented, and `stop`.
const CLIENTS = {
  'undici': require('./clients/undici'),
  'fetch': require('./clients/fetch'),
  'node:http, node:https': require('./clients/http'),
  'node:http2': require('./clients/http2'),
  '@grpc/grpc-js': require('./clients/grpc_loaded')
}
const SERVERS = { 'node:http, node:https, node:http2': require('./seams') }

const started = new Set()

function instrument(options = {}) {
  const { servers = false } = known(options, ['servers'])
  // A mistake in the environment shows here, at the start of the service.
  preliminary()
  const running = []
  try {
    for (const part of [CLIENTS, servers ? SERVERS : {}].flatMap(Object.values)) {
      if (started.has(part)) continue
      part.start()
      running.push(part)
    }
  } catch (error) {
    for (const part of running) part.stop()
    throw error
  }
  for (const part of running) started.add(part)
}

function uninstrument() {
  for (const part of started) part.stop()
  started.clear()
}

module.exports = { CLIENTS, SERVERS, instrument, uninstrument }
