'use strict'

// What users of @grpc/grpc-js take from `onward/grpc`. Nothing in here loads that: it is known by its methods.

const { clientInterceptor, forwardCalls } = require('./clients/grpc')
const { defaultPropagator, preliminary } = require('./default')
const { heard } = require('./listener')
const { propagate } = require('./servers')

const EVENTS = ['onReceiveMetadata', 'onReceiveMessage', 'onReceiveHalfClose', 'onCancel']

function serverInterceptor({ propagator = defaultPropagator() } = {}) {
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
    onReceiveMetadata(metadata)
  }
  return { onReceiveMetadata: opening, ...others }
}

const running = new Map()

function instrument(grpc, { servers = false } = {}) {
  if (running.has(grpc.Channel)) return
  // A mistake in the environment shows here, at the start of the service.
  preliminary()
  const state = { isOn: true }
  const undo = [forwardCalls(grpc, () => state.isOn)]
  if (servers) undo.push(propagateHandlers(grpc, () => state.isOn))
  running.set(grpc.Channel, () => {
    state.isOn = false
    for (const step of undo) step()
  })
}

function uninstrument(grpc) {
  running.get(grpc.Channel)?.()
  running.delete(grpc.Channel)
}

/** Has every handler that is registered from now on propagated. Gives what undoes it. */
function propagateHandlers({ Server: { prototype } }, isOn) {
  const { register } = prototype
  prototype.register = wrapper
  return () => {
    if (prototype.register === wrapper) prototype.register = register
  }

  function wrapper(name, handler, ...rest) {
    const isToCover = isOn() && typeof handler === 'function'
    return register.call(this, name, isToCover ? propagate(handler) : handler, ...rest)
  }
}

module.exports = { clientInterceptor, instrument, serverInterceptor, uninstrument }
