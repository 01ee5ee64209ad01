'use strict'

const { AsyncLocalStorage } = require('node:async_hooks')

const { OnwardError } = require('./errors')
const { ForwardHeaders, EMPTY } = require('./headers')
const { isRequest } = require('./carriers')
const { defaultPropagator } = require('./default')

const storage = new AsyncLocalStorage()

function current() {
  return storage.getStore() ?? EMPTY
}

/** For clients: undefined where there is no request. */
function currentOrNone() {
  return storage.getStore()
}

function run(headers, fn, ...args) {
  if (!(headers instanceof ForwardHeaders)) headers = defaultPropagator().extract(headers)
  return storage.run(headers, fn, ...args)
}

function carry(fn) {
  mustBeFunction(fn, 'carry')
  const headers = storage.getStore()
  return alike(fn, function (...args) {
    return storage.run(headers, () => fn.apply(this, args))
  })
}

function propagate(handler, { propagator = defaultPropagator() } = {}) {
  mustBeFunction(handler, 'propagate')
  return alike(handler, function (...args) {
    const request = args.find(isRequest)
    if (request === undefined) {
      const message = 'no argument of this handler is a request; write `onward.run(request, () => ...)` in it instead'
      throw new OnwardError('unsupported_carrier', handler.name, message)
    }
    return storage.run(propagator.extract(request), () => handler.apply(this, args))
  })
}

function express({ propagator = defaultPropagator() } = {}) {
  return function onward(request, response, next) {
    storage.run(propagator.extract(request), next)
  }
}

/** `wrapper` with the name and the number of arguments of `fn`: frameworks read both. */
function alike(fn, wrapper) {
  Object.defineProperty(wrapper, 'name', { value: fn.name, configurable: true })
  Object.defineProperty(wrapper, 'length', { value: fn.length, configurable: true })
  return wrapper
}

function mustBeFunction(value, name) {
  if (typeof value !== 'function') {
    throw new OnwardError('invalid_argument', typeof value, `\`${name}\` takes a function`)
  }
}

module.exports = { current, currentOrNone, run, carry, propagate, express }
