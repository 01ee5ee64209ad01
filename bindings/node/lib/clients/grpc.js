'use strict'

// @grpc/grpc-js: every call of a client, unary and streaming.
//
// Headers are added where a call starts, by a start of the call's own: both interceptors and channels make a new call each
// time, and need no class of grpc-js for that. A channel's calls start behind all interceptors; so what those have set is
// there already.

const { calledWithoutScope, callsWithoutScope } = require('../diagnostics')
const { checked } = require('../errors')
const { write } = require('../headers')
const { heard } = require('../listener')
const { memoize } = require('../memoize')
const { METADATA } = require('../metadata')
const native = require('../native')
const { currentOrNone, storage } = require('../scope')
const { orUntouched } = require('./failure')

const EVENTS = ['onReceiveMetadata', 'onReceiveMessage', 'onReceiveStatus']

const authoritiesOf = memoize((target) => checked(native.grpcAuthorities(target)))

function clientInterceptor(target) {
  const authorities = authoritiesOf(String(target))
  return (options, nextCall) => {
    const { host, credentials, method_definition: { path } } = options
    const before = callsWithoutScope()
    const call = nextCall(options)
    // Where channels are instrumented too, theirs is counted.
    const isCounted = callsWithoutScope() !== before
    return forwarding(call, destinations(authorities, host, path), () => credentials, isCounted)
  }
}

/** Has the calls of every channel of this grpc-js forwarded, as long as `isOn` says so. Gives what undoes it. */
function forwardCalls({ Channel }, isOn) {
  const { prototype } = Channel
  const { createCall } = prototype
  prototype.createCall = wrapper
  return () => {
    // Where somebody has wrapped the wrapper, it stays, and only passes on.
    if (prototype.createCall === wrapper) prototype.createCall = createCall
  }

  function wrapper(method, deadline, host, ...rest) {
    const call = createCall.call(this, method, deadline, host, ...rest)
    if (!isOn()) return call
    // Nothing public tells the credentials of a channel. Beside the user's, gRPC refuses a call.
    let credentials = this.internalChannel?.credentials?.callCredentials
    const { setCredentials } = call
    call.setCredentials = (own) => {
      credentials = own
      return setCredentials.call(call, own)
    }
    return forwarding(call, destinations(authoritiesOf(this.getTarget()), host, method), () => credentials)
  }
}

/** Where a call goes: to any of the target's authorities, and to what goes by the name that is said for this call. */
function destinations(authorities, host, path) {
  return (typeof host === 'string' ? [...authorities, host] : authorities).map((authority) => authority + path)
}

/** A call that was made, which forwards when it starts, and answers in the scope in which it was made. */
function forwarding(call, destinations, credentialsOf, isCounted = false) {
  const scope = storage.getStore()
  if (scope === undefined && !isCounted) calledWithoutScope(() => destinations[0])
  const headers = currentOrNone()
  const { start, sendMessageWithContext } = call
  call.start = (metadata, listener) => {
    const forwarded = () => headers === undefined ? metadata : withForwarded(headers, metadata, destinations, credentialsOf())
    return start.call(call, orUntouched(forwarded, metadata), heard(listener, EVENTS, () => scope))
  }
  call.sendMessageWithContext = (context, message) => {
    const { callback } = context
    const written = callback && { callback: (...args) => storage.run(scope, callback, ...args) }
    return sendMessageWithContext.call(call, { ...context, ...written }, message)
  }
  return call
}

/** The metadata of a call, which are the caller's, with what may go to every destination. */
function withForwarded(scope, metadata, destinations, credentials) {
  // Nobody knows what call credentials write before they are asked; they are the caller's own.
  const own = credentials === undefined || credentials === null ? [] : namesOfCredentials(scope)
  const [fewest] = destinations.map((destination) => additions(scope, metadata, destination)).sort((a, b) => a.length - b.length)
  const added = fewest.filter(([name]) => !own.includes(name))
  if (added.length === 0) return metadata
  const copy = metadata.clone()
  for (const [name, values] of added) METADATA.write(copy, name, values)
  return copy
}

function additions(scope, metadata, destination) {
  const lines = []
  write(scope, { each: METADATA.each, write: (_, name, values) => lines.push([name, values]) }, metadata, destination)
  return lines
}

function namesOfCredentials(scope) {
  return scope.explain().flatMap((row) => (row.class === 'credential' ? row.name : []))
}

module.exports = { clientInterceptor, forwardCalls }
