'use strict'

// What users of @grpc/grpc-js take from `onward/grpc`. It is not loaded for that: calls are known by their methods.

const { clientInterceptor } = require('./clients/grpc')
const { heard } = require('./listener')
const { entered } = require('./scope')
const { chosen } = require('./servers')

const EVENTS = ['onReceiveMetadata', 'onReceiveMessage', 'onReceiveHalfClose', 'onCancel']

function serverInterceptor(options) {
  const propagator = chosen(options)
  return (method, call) => {
    const { start } = call
    call.start = (listener) => start.call(call, inScope(listener, propagator))
    return call
  }
}

/** What a call's listener hears, it hears in the scope that the metadata open: the handler's call, and the pieces of a stream. */
function inScope(listener, propagator) {
  let headers
  const { onReceiveMetadata, ...others } = heard(listener, EVENTS, () => headers)
  const opening = (metadata) => {
    headers = propagator.extract(metadata)
    entered()
    onReceiveMetadata(metadata)
  }
  return { onReceiveMetadata: opening, ...others }
}

module.exports = { clientInterceptor, serverInterceptor }
