'use strict'

// node:http and node:https, and every client built on them.
//
// Headers are added when Node writes them out, in `_storeHeader`: every form of `request` and `get` comes through there,
// and what the caller sets on the request after its creation is known by then. Which headers these are was decided at
// the creation: the body may be written by a stream that belongs to another request.

const { subscribe, unsubscribe } = require('node:diagnostics_channel')
const http = require('node:http')
const https = require('node:https')
const { syncBuiltinESMExports } = require('node:module')

const { calledWithoutScope } = require('../diagnostics')
const { write } = require('../headers')
const { FLAT } = require('../outbound')
const { currentOrNone } = require('../scope')
const { destinationOf } = require('./destination')
const { orUntouched } = require('./failure')
const { isLibrary } = require('./names')
const { answered, keep, linesOf, made, spokenBefore, urlOf } = require('./redirects')

const ANSWERS = 'http.client.response.finish'
const isDefault = (_, value) => isLibrary(value)
const ASCII = /^[\t\x20-\x7e]*$/
const SCOPE = Symbol('onward scope')
const { prototype } = http.ClientRequest
/** Modules whose `request` is wrapped, with the original and the wrapper. */
const wrapped = new Map()

let active = false

function wrap(module) {
  const original = module.request
  const wrapper = function request(...args) {
    const created = Reflect.apply(original, this, args)
    // Where somebody has wrapped it, it stays when it was stopped, and only passes on.
    if (wrapped.get(module)?.wrapper === wrapper) note(created)
    return created
  }
  wrapped.set(module, { original, wrapper })
  module.request = wrapper
}

function start() {
  active = true
  subscribe(ANSWERS, answer)
  for (const module of [http, https]) wrap(module)
  if (!Object.hasOwn(prototype, '_storeHeader')) {
    Object.defineProperty(prototype, '_storeHeader', { value: storeHeader, writable: true, configurable: true })
  }
  syncBuiltinESMExports()
}

function stop() {
  active = false
  unsubscribe(ANSWERS, answer)
  for (const [module, { original, wrapper }] of wrapped) if (module.request === wrapper) module.request = original
  wrapped.clear()
  if (prototype._storeHeader === storeHeader) delete prototype._storeHeader
  syncBuiltinESMExports()
}

function storeHeader(firstLine, headers) {
  const inherited = Object.getPrototypeOf(prototype)._storeHeader
  return inherited.call(this, firstLine, active ? orUntouched(() => withForwarded(this, headers), headers) : headers)
}

/** Whose headers `request` forwards: those of the scope in which it is made. */
function note(request) {
  if (request[SCOPE] !== undefined) return
  const scope = currentOrNone()
  request[SCOPE] = scope ?? null
  if (scope === undefined && request.method !== 'CONNECT') calledWithoutScope(() => urlOf(request))
  made(request)
}

function answer({ request, response }) {
  // What a listener of a channel throws would end the process.
  if (request[SCOPE]) orUntouched(() => answered(request, response))
}

/** `headers` as `_storeHeader` takes them, with the forwarded ones. */
function withForwarded(request, headers) {
  if (Array.isArray(headers)) keep(request, headers)
  // It may still be in the making, or was made by `get` or `new ClientRequest`.
  note(request)
  const scope = request[SCOPE]
  // CONNECT speaks to a proxy, about a tunnel.
  if (scope === null || request.method === 'CONNECT') return headers
  const lines = linesOf(request)
  // For Node to refuse.
  if (lines.length % 2 !== 0) return headers
  const before = spokenBefore(request)
  let result = headers
  const kind = {
    each: (_, visit) => {
      FLAT.each(lines, visit)
      FLAT.each(before, visit)
    },
    write: (_, name, values) => {
      for (const value of values) {
        if (ASCII.test(value)) continue
        // What Node refuses would fail the whole request.
        http.validateHeaderValue(name, value)
        request._send = sendHeadFirst
      }
      FLAT.write(lines, name, values)
      result = lines
    }
  }
  const { protocol, host, path } = request
  const destination = destinationOf(`${protocol}//`, host.includes(':') ? `[${host}]` : host, path)
  write(scope, kind, lines, destination, isDefault)
  return result
}

/** Node would write the head together with a body that is text, and in the body's encoding: as UTF-8. */
function sendHeadFirst(...args) {
  if (!this._headerSent) prototype._send.call(this, '', 'latin1')
  return prototype._send.apply(this, args)
}

module.exports = { start, stop }
