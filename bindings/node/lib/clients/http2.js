'use strict'

// node:http2: the sessions that `connect` opens from now on.

const { syncBuiltinESMExports } = require('node:module')

const { calledWithoutScope } = require('../diagnostics')
const { write } = require('../headers')
const { writer } = require('../outbound')
const { currentOrNone, storage } = require('../scope')
const { hold } = require('../servers')
const { orUntouched } = require('./failure')

let active = false
let http2
/** What `connect` was, and what it is while this is started. */
let wrapped

function start() {
  active = true
  // Takes Node longer to load than all of Onward.
  http2 ??= require('node:http2')
  const original = http2.connect
  const wrapper = function connect(authority, ...rest) {
    // A session lives longer than the request that opens it, whose headers are not for the next one.
    const session = storage.run(undefined, () => original.call(this, authority, ...rest))
    // Where somebody has wrapped it, it stays when it was stopped, and only passes on.
    if (wrapped?.wrapper === wrapper) orUntouched(() => forward(session, new URL(authority).origin))
    return session
  }
  wrapped = { original, wrapper }
  http2.connect = wrapper
  syncBuiltinESMExports()
}

function stop() {
  active = false
  if (http2 !== undefined && http2.connect === wrapped?.wrapper) http2.connect = wrapped.original
  wrapped = undefined
  syncBuiltinESMExports()
}

function forward(session, origin) {
  const { request } = session
  session.request = function (headers, ...rest) {
    if (!active || isOthers(headers)) return request.call(this, headers, ...rest)
    const scope = currentOrNone()
    if (scope === undefined) {
      calledWithoutScope(() => urlOf(origin, headers))
      return request.call(this, headers, ...rest)
    }
    const stream = request.call(this, orUntouched(() => withForwarded(scope, headers ?? {}, origin), headers), ...rest)
    // Node emits what arrives in the context of the session.
    hold(stream, storage.getStore())
    return stream
  }
}

/** CONNECT speaks to a proxy, about a tunnel. gRPC opens its streams when there is a connection, in whichever context. */
function isOthers(headers) {
  return valueOf(headers, ':method') === 'CONNECT' || /^application\/grpc/i.test(valueOf(headers, 'content-type'))
}

function withForwarded(scope, headers, origin) {
  const copy = Array.isArray(headers) ? [...headers] : { ...headers }
  const [kind, into] = writer(copy)
  write(scope, kind, into, urlOf(origin, headers))
  return copy
}

function urlOf(origin, headers) {
  return `${origin}${valueOf(headers, ':path') ?? '/'}`
}

/** Headers are an object or, since Node 24, a flat array. */
function valueOf(headers, name) {
  if (!Array.isArray(headers)) return headers?.[name]
  return headers[headers.findIndex((each, i) => i % 2 === 0 && each === name) + 1]
}

module.exports = { start, stop }
