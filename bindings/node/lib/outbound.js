'use strict'

const { OnwardError } = require('./errors')
const { METADATA, metadataOf } = require('./metadata')

/**
 * The ways to write headers. Of each: `each` visits the lines that are there, `write` makes `values` the lines of
 * `name`, joined by `separator` where there can be only one. `isEmpty` is there where that is quick to tell.
 */
const PLAIN = {
  isEmpty: (object) => {
    for (const _ in object) return false
    return true
  },
  each: (object, visit) => {
    for (const name of Object.keys(object)) if (object[name] !== undefined && object[name] !== null) visit(name, object[name])
  },
  write: (object, name, values, separator) => {
    remove(Object.keys(object), name, (key) => delete object[key])
    const property = { value: joined(values, separator), writable: true, enumerable: true, configurable: true }
    Object.defineProperty(object, name, property)
  }
}

const PAIRS = {
  each: (array, visit) => {
    for (const [name, value] of array) visit(name, value)
  },
  write: (array, name, values) => {
    for (let i = array.length - 1; i >= 0; i--) if (isNamed(array[i][0], name)) array.splice(i, 1)
    for (const value of values) array.push([name, value])
  }
}

const FLAT = {
  each: (array, visit) => {
    for (let i = 0; i + 1 < array.length; i += 2) visit(array[i], array[i + 1])
  },
  write: (array, name, values) => {
    for (let i = array.length - 2; i >= 0; i -= 2) if (isNamed(array[i], name)) array.splice(i, 2)
    for (const value of values) array.push(name, value)
  }
}

const HEADERS = {
  each: (headers, visit) => headers.forEach((value, name) => visit(name, value)),
  write: (headers, name, values) => {
    headers.delete(name)
    for (const value of values) headers.append(name, value)
  }
}

const MAP = {
  each: HEADERS.each,
  write: (map, name, values, separator) => {
    remove([...map.keys()], name, (key) => map.delete(key))
    map.set(name, joined(values, separator))
  }
}

const OUTGOING = {
  each: (message, visit) => {
    for (const name of message.getHeaderNames()) visit(name, message.getHeader(name))
  },
  write: (message, name, values) => message.setHeader(name, values.length === 1 ? values[0] : values)
}

/** One value, which in a message may be bytes; several are text. */
function joined(values, separator) {
  return values.length === 1 ? values[0] : values.join(separator)
}

function isNamed(present, name) {
  return typeof present === 'string' && present.length === name.length && present.toLowerCase() === name
}

function remove(keys, name, each) {
  for (const key of keys) if (isNamed(key, name)) each(key)
}

/** How to write to `carrier`, and what to write to. */
function writer(carrier) {
  if (typeof carrier === 'object' && carrier !== null) {
    if (Array.isArray(carrier)) return [typeof carrier[0] === 'string' ? FLAT : PAIRS, carrier]
    if (typeof carrier.setHeader === 'function') return [OUTGOING, carrier]
    if (typeof carrier.append === 'function') return [HEADERS, carrier]
    if (carrier instanceof Map) return [MAP, carrier]
    if (metadataOf(carrier) === carrier) return [METADATA, carrier]
    if (typeof carrier.headers?.append === 'function') return [HEADERS, carrier.headers]
    if (typeof carrier[Symbol.iterator] !== 'function') return [PLAIN, carrier]
  }
  throw unsupported()
}

/** What a carrier has thrown, as a mistake of whoever passed it. */
function unwritable(error) {
  return error instanceof OnwardError ? error : unsupported(error)
}

function unsupported(cause) {
  const why = cause === undefined ? '' : ', which has thrown an error'
  const advice = 'pass a plain object, Headers, a Fetch Request, a request of node:http, a Map, or an array of pairs'
  return new OnwardError('unsupported_carrier', '', `cannot write headers to this carrier${why}; ${advice}`, { cause })
}

module.exports = { FLAT, MAP, OUTGOING, PAIRS, PLAIN, joined, unwritable, writer }
