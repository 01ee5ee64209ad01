'use strict'

// The global fetch.
//
// It follows redirects by itself, and may keep a request waiting for a connection. So headers are added where it hands
// each hop to its dispatcher: there the hop's own destination is known, the caller's headers are as fetch sends them, and
// it is still the caller's asynchronous context, which it need not be once a connection is free.

const { OnwardError } = require('../errors')
const { write } = require('../headers')
const { PAIRS } = require('../outbound')
const { currentOrNone } = require('../scope')
const { orUntouched } = require('./failure')

// The one that this Node's own fetch uses; an undici that was installed beside it may use another.
const GENERATION = Number.parseInt(process.versions.undici, 10) >= 8 ? 2 : 1
const GLOBAL_DISPATCHER = Symbol.for(`undici.globalDispatcher.${GENERATION}`)
// What fetch calls itself where the caller gave no name.
const OWN_NAMES = new Set(['node', 'undici'])

let active = false
let original

function start() {
  // Node loads fetch, and with it the dispatcher, at the first use.
  new Headers()
  if (typeof globalThis[GLOBAL_DISPATCHER]?.dispatch !== 'function') {
    const message = `onward cannot instrument the global fetch of Node ${process.version}`
    throw new OnwardError('unsupported_platform', 'fetch', message)
  }
  active = true
  if (globalThis.fetch === wrapper) return
  original = globalThis.fetch
  globalThis.fetch = wrapper
}

function stop() {
  active = false
  // Where somebody has wrapped the wrapper, it stays, and only passes on.
  if (globalThis.fetch === wrapper) globalThis.fetch = original
}

function fetch(input, init) {
  const scope = active ? currentOrNone() : undefined
  const isUsual = init === undefined || init === null || typeof init === 'object'
  if (scope === undefined || !isUsual) return original(input, init)
  const inner = init?.dispatcher ?? ownDispatcher(input) ?? globalThis[GLOBAL_DISPATCHER]
  // On a redirect to another origin fetch takes credentials of the caller away; the caller has spoken about them all the same.
  const spoken = []
  const dispatcher = Object.create(inner, { dispatch: { value: dispatch } })
  return original(input, Object.create(init ?? null, { dispatcher: { value: dispatcher, enumerable: true } }))

  function dispatch(options, handler) {
    const forwarding = () => ({ ...options, headers: withForwarded(scope, options, spoken, isDefault) })
    return inner.dispatch(orUntouched(forwarding, options), handler)
  }

  function isDefault(name, value) {
    return OWN_NAMES.has(value) && !callerHas(name, input, init)
  }
}

const wrapper = fetch

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

/** A flat list of the hop's headers, with those that may go to its destination. */
function withForwarded(scope, { origin, path, headers }, spoken, isDefault) {
  const lines = []
  for (const [name, value] of pairs(headers)) {
    for (const each of Array.isArray(value) ? value : [value]) lines.push([name, each])
  }
  if (spoken.length === 0) spoken.push(...lines)
  const each = (into, visit) => [...into, ...spoken].forEach(([name, value]) => visit(name, value))
  write(scope, { each, write: PAIRS.write }, lines, `${origin}${path}`, isDefault)
  return lines.flat()
}

function pairs(headers) {
  if (headers === undefined || headers === null) return []
  if (Array.isArray(headers) && !Array.isArray(headers[0])) {
    return Array.from({ length: headers.length / 2 }, (_, i) => [headers[2 * i], headers[2 * i + 1]])
  }
  return typeof headers[Symbol.iterator] === 'function' ? headers : Object.entries(headers)
}

module.exports = { start, stop }
