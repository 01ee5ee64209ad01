'use strict'

// One line for each framework. All of them come down to `enter`.

const { incoming, isRequest, outgoing } = require('./carriers')
const { defaultPropagator } = require('./default')
const { OnwardError } = require('./errors')
const { invalid, known } = require('./options')
const { Propagator } = require('./propagator')
const { alike, entered, mustBeFunction, storage } = require('./scope')

const SCOPE = Symbol('onward scope')
const EMIT = Symbol('onward emit')

function propagate(handler, options) {
  mustBeFunction(handler, 'propagate')
  const propagator = chosen(options)
  return alike(handler, function (...args) {
    const request = args.find(isRequest)
    if (request === undefined) {
      const message = 'no argument of this handler is a request; write `onward.run(request, () => ...)` in it instead'
      throw new OnwardError('unsupported_carrier', handler.name, message)
    }
    const parsed = incoming(request)
    const response = parsed && outgoing(args, parsed)
    // What is no request of Node may emit by itself: gRPC's calls do.
    return enter(propagator.extract(request), parsed ?? request, response, Reflect.apply, handler, this, args)
  })
}

function express(options) {
  const propagator = chosen(options, 'express')
  return function onward(request, response, next) {
    enter(propagator.extract(request), incoming(request), response, next)
  }
}

// Fastify puts options of its own, as `prefix`, beside the plugin's.
function fastify(app, options, done) {
  const propagator = changed(options)
  app.addHook('onRequest', (request, reply, next) => {
    enter(propagator.extract(request), request.raw, reply.raw, next)
  })
  done()
}
// The hook is for the whole application, not for the plugin's own routes.
fastify[Symbol.for('skip-override')] = true
fastify[Symbol.for('fastify.display-name')] = 'onward'

function koa(options) {
  const propagator = chosen(options, 'koa')
  return function onward(context, next) {
    return enter(propagator.extract(context), context.req, context.res, next)
  }
}

function hono(options) {
  const propagator = chosen(options, 'hono')
  return function onward(context, next) {
    // There on Node only.
    const { incoming: request, outgoing: response } = context.env ?? {}
    return enter(propagator.extract(context), request, response, next)
  }
}

const hapi = {
  name: 'onward',
  register(server, options) {
    const propagator = chosen(options)
    // No extension point encloses those that come after it. What Hapi listens with does.
    const { listener } = server
    for (const event of ['request', 'checkContinue']) {
      for (const dispatch of listener.listeners(event)) listener.off(event, dispatch).on(event, propagate(dispatch, { propagator }))
    }
    server.ext('onRequest', (request, h) => {
      // `server.inject` goes past the listener, and gives each request an asynchronous context of its own, to be changed safely.
      if (request.raw.req[SCOPE] === undefined) {
        entered()
        storage.enterWith(propagator.extract(request))
      }
      return h.continue
    })
  }
}

/** The policy that `options` name. `middleware` is what makes one: given a request, it has been put into the chain itself. */
function chosen(options = {}, middleware) {
  if (middleware !== undefined && isRequest(options)) {
    throw invalid(middleware, `\`onward.${middleware}\` returns the middleware; write \`app.use(onward.${middleware}())\``)
  }
  return changed(known(options, ['propagator', 'presets', 'add', 'remove']))
}

function changed({ propagator = defaultPropagator(), presets, add, remove }) {
  if (!(propagator instanceof Propagator)) throw invalid('propagator', '`propagator` takes a Propagator')
  const isChanged = (presets ?? add ?? remove) !== undefined
  return isChanged ? propagator.derive({ presets, add, remove }) : propagator
}

/** Calls `fn` in a scope that holds for what the request and the response of Node emit later, too. */
function enter(headers, request, response, fn, ...args) {
  hold(request, headers)
  hold(response, headers)
  entered()
  return storage.run(headers, fn, ...args)
}

/**
 * Has what `emitter` emits heard in the scope. Node itself emits a body's pieces and its end, and that a response is sent,
 * in the context of the connection.
 */
function hold(emitter, headers) {
  if (typeof emitter?.listenerCount !== 'function') return
  emitter[SCOPE] = headers
  if (emitter.emit === emit) return
  emitter[EMIT] = emitter.emit
  emitter.emit = emit
}

function emit(event) {
  // Most of what Node emits nobody listens to.
  if (this.listenerCount(event) === 0) return Reflect.apply(this[EMIT], this, arguments)
  return storage.run(this[SCOPE], Reflect.apply, this[EMIT], this, arguments)
}

module.exports = { chosen, enter, express, fastify, hapi, hold, hono, koa, propagate }
