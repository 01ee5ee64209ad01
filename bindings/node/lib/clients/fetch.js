'use strict'

// The global fetch. It follows redirects by itself, and hands each hop to a dispatcher of undici.

const { OnwardError } = require('../errors')
const { currentOrNone } = require('../scope')
const { isFetch, isLibrary } = require('./names')
const { FORWARDING, forwardingOf, watch } = require('./undici')

// The one that this Node's own fetch uses; an undici that was installed beside it may use another.
const GENERATION = Number.parseInt(process.versions.undici, 10) >= 8 ? 2 : 1
const GLOBAL_DISPATCHER = Symbol.for(`undici.globalDispatcher.${GENERATION}`)

/** What the global fetch was, and what it is while this is started. */
let wrapped
/** The dispatcher that was looked at last: mostly there is only one. */
let watched

function start() {
  // Node loads fetch, and with it the dispatcher, at the first use.
  new Headers()
  if (typeof globalThis[GLOBAL_DISPATCHER]?.dispatch !== 'function') {
    const message = `onward cannot instrument the global fetch of Node ${process.version}`
    throw new OnwardError('unsupported_platform', 'fetch', message)
  }
  watchOnce(globalThis[GLOBAL_DISPATCHER])
  const original = globalThis.fetch
  const wrapper = function fetch(input, init) {
    // Where somebody has wrapped it, it stays when it was stopped, and only passes on.
    return wrapped?.wrapper === wrapper ? forwarded(original, input, init) : original(input, init)
  }
  wrapped = { original, wrapper }
  globalThis.fetch = wrapper
}

function stop() {
  if (globalThis.fetch === wrapped?.wrapper) globalThis.fetch = wrapped.original
  wrapped = undefined
  watched = undefined
}

function watchOnce(dispatcher) {
  if (watched !== dispatcher) watch(dispatcher)
  watched = dispatcher
}

function forwarded(original, input, init) {
  const scope = currentOrNone()
  const isUsual = init === undefined || init === null || typeof init === 'object'
  if (scope === undefined || !isUsual) return original(input, init)
  const inner = init?.dispatcher ?? ownDispatcher(input) ?? globalThis[GLOBAL_DISPATCHER]
  watchOnce(inner)
  const forwarding = forwardingOf(scope, isDefault)
  const dispatcher = { __proto__: inner, dispatch }
  if (!isData(init)) return original(input, { __proto__: init ?? null, dispatcher })
  // The other way round V8 takes ten times as long.
  const own = { dispatcher, ...init }
  own.dispatcher = dispatcher
  return original(input, own)

  function dispatch(options, handler) {
    return inner.dispatch({ [FORWARDING]: forwarding, ...options }, handler)
  }

  function isDefault(name, value) {
    return isLibrary(value) || (isFetch(value) && !callerHas(name, input, init))
  }
}

/** Whether a copy of `init` is the same. That is quicker: V8 makes an object that others inherit from a slow one. */
function isData(init) {
  if (!init || Object.getPrototypeOf(init) !== Object.prototype) return false
  return Object.getOwnPropertyNames(init).every((name) => {
    const { enumerable, get, set } = Object.getOwnPropertyDescriptor(init, name)
    return enumerable && get === undefined && set === undefined
  })
}

/** The dispatcher that a `Request` was made with. */
function ownDispatcher(input) {
  if (!(input instanceof Request)) return undefined
  const symbol = Object.getOwnPropertySymbols(input).find(({ description }) => description === 'dispatcher')
  return symbol === undefined ? undefined : input[symbol]
}

function callerHas(name, input, init) {
  if (init?.headers) return new Headers(init.headers).has(name)
  return input instanceof Request && input.headers.has(name)
}

module.exports = { start, stop }
