'use strict'

// Finds calls that leave outside of any request's scope: where the asynchronous context was lost, mostly.

const { inspect } = require('node:util')

const { hasServed, mustBeFunction } = require('./scope')

let calls = 0
let callback = null
/** Whether the callback runs: what it sends itself is none of the program's calls. */
let telling = false

function callsWithoutScope() {
  return calls
}

function onCallWithoutScope(chosen) {
  if (chosen !== null) mustBeFunction(chosen, 'onCallWithoutScope')
  callback = chosen
}

/** For clients: to be called where a call is made that has no scope. `find` gives its destination. */
function calledWithoutScope(find) {
  if (telling || !hasServed()) return
  calls += 1
  if (callback === null) return
  telling = true
  tell(find).catch(warn)
  telling = false
}

/** Calls back at once. What fails, now or later, fails in the promise. */
async function tell(find) {
  const { stackTraceLimit } = Error
  // Between a program and its call, undici alone has more than the usual ten. Where it is frozen, it stays.
  Reflect.set(Error, 'stackTraceLimit', Infinity)
  try {
    // A query may be a signature.
    return callback(find().replace(/[?#].*/s, ''))
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
  }
}

function warn(error) {
  process.emitWarning(error instanceof Error ? error : inspect(error))
}

module.exports = { calledWithoutScope, callsWithoutScope, onCallWithoutScope }
