'use strict'

// node:http, node:https and node:http2 as servers, and with them every framework that listens with one.
//
// A server hands each request over by one event, whose listeners run while it is emitted. Whoever encloses the emitting
// encloses them all, whenever and by whomever they were added, and changes nothing about them.

const { orUntouched } = require('./clients/failure')
const { defaultPropagator } = require('./default')
const { enter } = require('./servers')

const REQUESTS = new Set(['request', 'checkContinue', 'checkExpectation', 'upgrade', 'connect'])

/** Classes whose `emit` is wrapped, with the wrapper, and what they had: undefined, or what a tracer has put there. */
const wrapped = new Map()

function start() {
  for (const prototype of prototypes()) wrap(prototype)
}

function stop() {
  for (const [prototype, { original, wrapper }] of wrapped) {
    if (prototype.emit !== wrapper) continue
    delete prototype.emit
    if (original !== undefined) Object.defineProperty(prototype, 'emit', original)
  }
  wrapped.clear()
}

/** Of every server that Node has. The classes of node:http2 are not exported. */
function prototypes() {
  const [http, https, http2] = [require('node:http'), require('node:https'), require('node:http2')]
  const classes = [http.Server, https.Server, http2.createServer().constructor, http2.createSecureServer().constructor]
  return classes.map(({ prototype }) => prototype)
}

function wrap(prototype) {
  const original = Object.getOwnPropertyDescriptor(prototype, 'emit')
  const inherited = prototype.emit
  const wrapper = function emit(event, ...args) {
    // Where somebody has wrapped it, it stays when it was stopped, and only passes on.
    const isOn = wrapped.get(prototype)?.wrapper === wrapper
    const taken = isOn ? orUntouched(() => takeOver(event, args), undefined) : undefined
    if (taken === undefined) return inherited.call(this, event, ...args)
    const { headers, request, response } = taken
    return enter(headers, request, response, Reflect.apply, inherited, this, [event, ...args])
  }
  wrapped.set(prototype, { original, wrapper })
  Object.defineProperty(prototype, 'emit', { value: wrapper, writable: true, configurable: true })
}

/** What an event brings; undefined where that is no request of Node. */
function takeOver(event, [request, response, , lines]) {
  if (event === 'stream') return Array.isArray(lines) ? { headers: defaultPropagator().extract(lines), request } : undefined
  // A request of HTTP/2 is made of a stream, which has brought the headers.
  if (!REQUESTS.has(event) || !Array.isArray(request?.rawHeaders) || request.stream !== undefined) return undefined
  // With `upgrade` there comes a socket in its place, which outlives the request.
  const own = response?.req === request ? response : undefined
  return { headers: defaultPropagator().extract(request), request, response: own }
}

module.exports = { start, stop }
