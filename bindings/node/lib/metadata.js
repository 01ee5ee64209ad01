'use strict'

// The metadata of gRPC, as @grpc/grpc-js has them, known by their methods. Values of `-bin` keys are bytes there, and on
// the wire, as in HTTP, base64 without padding.

const { debuglog } = require('node:util')

const log = debuglog('onward')

const NAME = /^[0-9a-z_.-]+$/
const PRINTABLE = /^[ -~]*$/
const BASE64 = /^[A-Za-z0-9+/]*$/

/** The metadata in `carrier`: itself, or those of a call; undefined if there are none. */
function metadataOf(carrier) {
  return [carrier, carrier.metadata].find((value) => typeof value?.getMap === 'function' && typeof value.add === 'function')
}

/** Visits the lines as they stand on the wire. */
function each(metadata, visit) {
  for (const name of Object.keys(metadata.getMap())) {
    for (const value of metadata.get(name)) visit(name, typeof value === 'string' ? value : encoded(value))
  }
}

/** Adds what gRPC takes; the rest would be the end of the call. */
function write(metadata, name, values) {
  for (const value of values) {
    for (const piece of NAME.test(name) ? allowed(name, value) : [undefined]) {
      if (piece === undefined) log('a value of `%s` stays behind: gRPC does not take it', name)
      else metadata.add(name, piece)
    }
  }
}

/** What stands for a value; undefined for what gRPC refuses. */
function allowed(name, value) {
  // Repeated lines that HTTP has joined are separate values.
  if (name.endsWith('-bin')) return value.split(',').map(decoded)
  return [PRINTABLE.test(value) ? value : undefined]
}

function encoded(bytes) {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '')
}

function decoded(text) {
  const unpadded = text.trim().replace(/=+$/, '')
  return BASE64.test(unpadded) && unpadded.length % 4 !== 1 ? Buffer.from(unpadded, 'base64') : undefined
}

module.exports = { METADATA: { each, write }, metadataOf }
