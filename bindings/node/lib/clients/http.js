'use strict'

// node:http and node:https, and every client built on them.
//
// Headers are added when Node writes them out, in `_storeHeader`: every form of `request` and `get` comes through there,
// and what the caller sets on the request after its creation is known by then. Which headers these are was decided at
// the creation: the body may be written by a stream that belongs to another request.

const http = require('node:http')
const https = require('node:https')
const { syncBuiltinESMExports } = require('node:module')

const { write } = require('../headers')
const { PAIRS } = require('../outbound')
const { currentOrNone } = require('../scope')
const { orUntouched } = require('./failure')
const { isLibrary } = require('./names')
const { hop, spoken } = require('./redirects')

const isDefault = (_, value) => isLibrary(value)
const NOT_ASCII = /[^\x00-\x7f]/
const SCOPE = Symbol('onward scope')
const { prototype } = http.ClientRequest
/** Modules whose `request` is wrapped, with the original and the wrapper. */
const wrapped = new Map()

let active = false

function wrap(module) {
  const original = module.request
  const wrapper = function request(...args) {
    const create = () => original.apply(this, args)
    // Where somebody has wrapped it, it stays when it was stopped, and only passes on.
    if (wrapped.get(module)?.wrapper !== wrapper) return create()
    const scope = currentOrNone()
    const created = scope === undefined ? create() : hop(create)
    created[SCOPE] = scope ?? null
    return created
  }
  wrapped.set(module, { original, wrapper })
  module.request = wrapper
}

function start() {
  active = true
  for (const module of [http, https]) wrap(module)
  if (!Object.hasOwn(prototype, '_storeHeader')) {
    Object.defineProperty(prototype, '_storeHeader', { value: storeHeader, writable: true, configurable: true })
  }
  syncBuiltinESMExports()
}

function stop() {
  active = false
  for (const [module, { original, wrapper }] of wrapped) if (module.request === wrapper) module.request = original
  wrapped.clear()
  if (prototype._storeHeader === storeHeader) delete prototype._storeHeader
  syncBuiltinESMExports()
}

function storeHeader(firstLine, headers) {
  const inherited = Object.getPrototypeOf(prototype)._storeHeader
  return inherited.call(this, firstLine, active ? orUntouched(() => withForwarded(this, headers), headers) : headers)
}

/** `headers` as `_storeHeader` takes them, with the forwarded ones. */
function withForwarded(request, headers) {
  // A request that was made by `new ClientRequest` has none.
  const scope = request[SCOPE] === undefined ? currentOrNone() : request[SCOPE]
  // CONNECT speaks to a proxy, about a tunnel.
  if (!scope || request.method === 'CONNECT') return headers
  const lines = Array.isArray(headers) ? pairs(headers) : linesOf(request)
  const said = spoken(request, lines)
  let result = headers
  const kind = {
    each: (_, visit) => PAIRS.each(said, visit),
    write: (_, name, values) => {
      for (const value of values) {
        // What Node refuses would fail the whole request.
        http.validateHeaderValue(name, value)
        if (NOT_ASCII.test(value)) request._send = sendHeadFirst
      }
      PAIRS.write(lines, name, values)
      result = lines
    }
  }
  write(scope, kind, lines, destinationOf(request), isDefault)
  return result
}

/** Lines as options of a request may have them: pairs, or names and values in turn. */
function pairs(array) {
  if (Array.isArray(array[0])) return [...array]
  return Array.from({ length: Math.ceil(array.length / 2) }, (_, i) => [array[2 * i], array[2 * i + 1]])
}

/** Node would write the head together with a body that is text, and in the body's encoding: as UTF-8. */
function sendHeadFirst(...args) {
  if (!this._headerSent) prototype._send.call(this, '', 'latin1')
  return prototype._send.apply(this, args)
}

/** What was set on the request. It stays as it is: superagent takes it along when it is redirected. */
function linesOf(request) {
  return request.getRawHeaderNames().map((name) => [name, request.getHeader(name)])
}

function destinationOf({ protocol, host, path }) {
  // A forward proxy gets the whole URL; the request goes on to there.
  if (/^[a-z]+:\/\//i.test(path)) return path
  const authority = host.includes(':') ? `[${host}]` : host
  return path.includes('?') ? `${protocol}//${authority}${path}` : authority
}

module.exports = { start, stop }
