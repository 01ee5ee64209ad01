'use strict'

const { storage } = require('./scope')

/**
 * A listener of a gRPC call that has `listener` hear everything in a scope; grpc-js itself speaks in the context of the
 * connection, which is that of whoever opened it. Its methods take one argument: grpc-js looks at that.
 */
function heard(listener, names, scopeOf) {
  return Object.fromEntries(names.map((name) => [name, (value) => storage.run(scopeOf(), () => listener[name]?.(value))]))
}

module.exports = { heard }
