'use strict'

const { AsyncLocalStorage } = require('node:async_hooks')

const { OnwardError } = require('./errors')
const { ForwardHeaders, EMPTY, beside } = require('./headers')
const { defaultPropagator } = require('./default')

const storage = new AsyncLocalStorage()
let served = false

function current() {
  return storage.getStore() ?? EMPTY
}

/** For clients: what leaves from here, beside a tracer too; undefined where there is no request. */
function currentOrNone() {
  const headers = storage.getStore()
  return headers === undefined ? undefined : beside(headers)
}

/** To be called wherever a scope is entered. */
function entered() {
  served = true
}

/** Whether any scope was ever entered. */
function hasServed() {
  return served
}

function run(headers, fn, ...args) {
  if (!(headers instanceof ForwardHeaders)) headers = defaultPropagator().extract(headers)
  entered()
  return storage.run(headers, fn, ...args)
}

function carry(fn) {
  mustBeFunction(fn, 'carry')
  const headers = storage.getStore()
  return alike(fn, function (...args) {
    return storage.run(headers, () => fn.apply(this, args))
  })
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

module.exports = { alike, carry, current, currentOrNone, entered, hasServed, mustBeFunction, run, storage }
