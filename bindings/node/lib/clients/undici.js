'use strict'

// undici: the copy in Node, behind the global fetch, and each one that is installed.
//
// A program hands a request to a dispatcher, in its own asynchronous context: there it is known whose headers they are. The
// request may be queued then, redirected or tried again; each time undici makes one to be sent, it says so on a diagnostics
// channel. There the destination is known, and what tracers that listen there have set: there headers are added.

const { subscribe, unsubscribe } = require('node:diagnostics_channel')
const Module = require('node:module')

const { calledWithoutScope } = require('../diagnostics')
const { OnwardError } = require('../errors')
const { write } = require('../headers')
const { memoize } = require('../memoize')
const { FLAT } = require('../outbound')
const { currentOrNone, hasServed, storage } = require('../scope')
const { destinationOf, wholeUrl } = require('./destination')
const { orUntouched } = require('./failure')
const { isFetch, isLibrary } = require('./names')

// The class that all dispatchers come from, in every copy since undici 6.
const BASE = /[\\/]dispatcher-base(\.js)?$/
const CHANNEL = 'undici:request:create'
/** In the options of a request that was dispatched: what it forwards. */
const FORWARDING = Symbol('onward forwarding')
const NOTHING = {}
const originOf = memoize((url) => new URL(url).origin)

/** Prototypes whose `dispatch` is wrapped, with the original. */
const originals = new Map()
/** Those of them that are in somebody's hands, whether instrumented or not. */
const explicit = new Set()
/** What was forwarded by the handlers that dispatch again: redirects and retries, which go on in the connection's context. */
const again = new WeakMap()

let active = false
let listening = false
/**
 * `require`, by which the parts of a copy of undici load each other, also where it is imported: what it was, and what it is while
 * this is started.
 */
let required
/** What the request that is being made forwards; undefined where none is. */
let pending

function start() {
  active = true
  watchLoaded()
  const original = Module.prototype.require
  const wrapper = function watchingRequire(id) {
    const exports = original.call(this, id)
    // Where somebody has wrapped it, it stays when it was stopped, and only passes on.
    if (required?.wrapper === wrapper && BASE.test(id)) watch(exports?.prototype)
    return exports
  }
  required = { original, wrapper }
  Module.prototype.require = wrapper
}

function stop() {
  active = false
  if (Module.prototype.require === required?.wrapper) Module.prototype.require = required.original
  required = undefined
  for (const [prototype, { original, wrapper }] of originals) {
    if (explicit.has(prototype)) continue
    if (prototype.dispatch === wrapper) prototype.dispatch = original
    originals.delete(prototype)
  }
  if (explicit.size > 0) return
  unsubscribe(CHANNEL, created)
  listening = false
}

function undici(dispatcher) {
  if (typeof dispatcher?.dispatch !== 'function' || typeof dispatcher.compose !== 'function') {
    throw new OnwardError('invalid_argument', typeof dispatcher, '`undici` takes a dispatcher of undici, as `new Agent()`')
  }
  for (const prototype of watch(dispatcher)) explicit.add(prototype)
  return dispatcher.compose((dispatch) => {
    return function onward(options, handler) {
      return dispatched(dispatch, options, handler)
    }
  })
}

/** What one call of a program forwards, with each request that is made for it. */
function forwardingOf(scope, isDefault = (_, value) => isFetch(value) || isLibrary(value)) {
  // On a redirect to another origin credentials of the caller are taken away; the caller has spoken about them all the same.
  return scope === undefined ? NOTHING : { scope, isDefault, spoken: undefined }
}

/** Wraps `dispatch` of the classes that `dispatcher` is of, each once. */
function watch(dispatcher) {
  const prototypes = []
  for (let each = dispatcher; each; each = Object.getPrototypeOf(each)) {
    // An object with a `dispatch` of its own may be there for one call; it comes down to a class.
    const isClass = Object.hasOwn(each, 'dispatch') && Object.hasOwn(each, 'constructor')
    // The last one is abstract.
    if (isClass && typeof Object.getPrototypeOf(each)?.dispatch === 'function') prototypes.push(each)
  }
  for (const prototype of prototypes) wrap(prototype)
  return prototypes
}

function wrap(prototype) {
  if (originals.has(prototype)) return
  const original = prototype.dispatch
  const wrapper = function dispatch(options, handler) {
    // A part of the dispatcher that was called: an agent has pools, and these have clients.
    const isPart = pending !== undefined && options?.[FORWARDING] === pending && typeof handler?.dispatch !== 'function'
    if (isPart) return original.call(this, options, handler)
    if (!active && options?.[FORWARDING] === undefined && !again.has(handler)) return original.call(this, options, handler)
    return dispatched(original.bind(this), options, handler)
  }
  originals.set(prototype, { original, wrapper })
  prototype.dispatch = wrapper
}

function dispatched(dispatch, options, handler) {
  const forwarding = options?.[FORWARDING] ?? again.get(handler) ?? forwardingOf(currentOrNone())
  if (forwarding !== NOTHING || hasServed()) listenLast()
  if (typeof handler?.dispatch === 'function') again.set(handler, forwarding)
  // Whoever takes it out of a queue may do so in the context of another request.
  if (typeof options === 'object' && options?.[FORWARDING] === undefined) options = { [FORWARDING]: forwarding, ...options }
  const outer = pending
  pending = forwarding
  try {
    // A connection lives longer than the request that opens it, whose headers are not for the next one.
    return storage.run(undefined, dispatch, options, handler)
  } finally {
    pending = outer
  }
}

/** Behind tracers that have come since: what they have set counts. */
function listenLast() {
  subscribe(CHANNEL, created)
  if (listening) unsubscribe(CHANNEL, created)
  listening = true
}

function created({ request }) {
  // CONNECT speaks to a proxy, about a tunnel.
  if (request.method === 'CONNECT') return
  const forwarding = pending
  pending = undefined
  if (forwarding === NOTHING) calledWithoutScope(() => wholeUrl(originOf(String(request.origin)), request.path))
  else if (forwarding !== undefined) orUntouched(() => add(request, forwarding))
}

function add(request, forwarding) {
  const { headers } = request
  const { scope, spoken, isDefault } = forwarding
  forwarding.spoken ??= [...headers]
  const each = (into, visit) => {
    FLAT.each(into, visit)
    if (spoken !== undefined) FLAT.each(spoken, visit)
  }
  const destination = destinationOf('', originOf(String(request.origin)), request.path)
  write(scope, { each, write: FLAT.write }, headers, destination, isDefault)
}

/** Wraps the copies of undici that are loaded. */
function watchLoaded() {
  for (const [file, module] of Object.entries(require.cache)) if (BASE.test(file)) watch(module?.exports?.prototype)
}

module.exports = { FORWARDING, forwardingOf, start, stop, undici, watch }
