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
const { FLAT, OUTGOING, PAIRS } = require('../outbound')
const { current, currentOrNone } = require('../scope')
const { orUntouched } = require('./failure')

const SCOPE = Symbol('onward scope')
const { prototype } = http.ClientRequest
const originals = new Map([http, https].map((module) => [module, module.request]))
const wrappers = new Map([http, https].map((module) => [module, wrap(module)]))

let active = false

function wrap(module) {
  return function request(...args) {
    const created = originals.get(module).apply(this, args)
    if (active) created[SCOPE] = current()
    return created
  }
}

function start() {
  active = true
  for (const [module, wrapper] of wrappers) {
    if (module.request === wrapper) continue
    originals.set(module, module.request)
    module.request = wrapper
  }
  if (!Object.hasOwn(prototype, '_storeHeader')) {
    Object.defineProperty(prototype, '_storeHeader', { value: storeHeader, writable: true, configurable: true })
  }
  syncBuiltinESMExports()
}

function stop() {
  active = false
  for (const [module, wrapper] of wrappers) {
    // Where somebody has wrapped the wrapper, it stays, and only passes on.
    if (module.request === wrapper) module.request = originals.get(module)
  }
  if (prototype._storeHeader === storeHeader) delete prototype._storeHeader
  syncBuiltinESMExports()
}

function storeHeader(firstLine, headers) {
  const inherited = Object.getPrototypeOf(prototype)._storeHeader
  return inherited.call(this, firstLine, active ? orUntouched(() => withForwarded(this, headers), headers) : headers)
}

/** `headers` as `_storeHeader` takes them, with the forwarded ones. */
function withForwarded(request, headers) {
  const scope = request[SCOPE] ?? currentOrNone()
  // CONNECT speaks to a proxy, about a tunnel.
  if (scope === undefined || request.method === 'CONNECT') return headers
  const destination = destinationOf(request)
  if (Array.isArray(headers)) {
    const copy = [...headers]
    write(scope, typeof headers[0] === 'string' ? FLAT : PAIRS, copy, destination)
    return copy
  }
  if (headers === null || headers === undefined) {
    const lines = []
    write(scope, PAIRS, lines, destination)
    return lines.length === 0 ? headers : lines
  }
  write(scope, OUTGOING, request, destination)
  return headers
}

function destinationOf({ protocol, host, path }) {
  // A forward proxy gets the whole URL; the request goes on to there.
  if (/^[a-z]+:\/\//i.test(path)) return path
  const authority = host.includes(':') ? `[${host}]` : host
  return path.includes('?') ? `${protocol}//${authority}${path}` : authority
}

module.exports = { start, stop }
