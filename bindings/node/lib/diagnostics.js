'use strict'

// Finds calls that leave outside of any request's scope: where the asynchronous context was lost, mostly.

const { inspect } = require('node:util')

const { EMPTY } = require('./headers')
const { hasServed, mustBeFunction, run } = require('./scope')

let calls = 0
let callback = null

function callsWithoutScope() {
  return calls
}

function onCallWithoutScope(chosen) {
  if (chosen !== null) mustBeFunction(chosen, 'onCallWithoutScope')
  callback = chosen
}

/** For clients: to be called where a call is made that has no scope. `find` gives its destination. */
function calledWithoutScope(find) {
  if (!hasServed()) return
  calls += 1
  if (callback !== null) tell(find).catch(warn)
}

/** Calls back at once. What fails, now or later, fails in the promise. */
async function tell(find) {
  const { stackTraceLimit } = Error
  // Between a program and its call, undici alone has more than the usual ten. Where it is frozen, it stays.
  Reflect.set(Error, 'stackTraceLimit', Infinity)
  try {
    // What may be a secret stays out. In a scope, what the callback sends, now or later, is none of the calls that are told.
    return run(EMPTY, callback, find().replace(/^([^/]*\/\/)[^/?#]*@|[?#].*/gs, '$1'))
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
  }
}

function warn(error) {
  process.emitWarning(error instanceof Error ? error : inspect(error))
}

module.exports = { calledWithoutScope, callsWithoutScope, onCallWithoutScope }
