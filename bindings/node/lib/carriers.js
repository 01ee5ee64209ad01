'use strict'

const { OnwardError } = require('./errors')
const { METADATA, metadataOf } = require('./metadata')

// How a value that is no text crosses to the core, which reports it as dropped.
const NO_TEXT = '\uffff'
// What HTTP lets a value hold, as Latin-1 text: more than blanks, and no control character.
const CLEAN = /^[\t ]*[\x21-\x7e\x80-\xff][\t\x20-\x7e\x80-\xff]*$/

const insecure = /(^|\s)--insecure-http-parser\b/.test([...process.execArgv, process.env.NODE_OPTIONS].join(' '))

/**
 * The request in `carrier` as Node has it, with its `rawHeaders`: itself (Express and Nest too), or what Fastify, Koa, Hapi
 * and Hono (on Node) wrap.
 */
function incoming(carrier) {
  if (Array.isArray(carrier.rawHeaders)) return carrier
  for (const inner of [carrier.raw, carrier.req, carrier.env?.incoming, carrier.raw?.req]) {
    if (typeof inner === 'object' && inner !== null && Array.isArray(inner.rawHeaders)) return inner
  }
  return undefined
}

// Hono makes a response where `res` is read, so that comes last.
const RESPONSES = [(arg) => arg, (arg) => arg.env?.outgoing, (arg) => arg.raw, (arg) => arg.raw?.res, (arg) => arg.res]

/** The response to a request of Node, if it is among what a handler is called with, or wrapped in it. */
function outgoing(args, request) {
  for (const place of RESPONSES) {
    for (const arg of args) {
      const found = typeof arg === 'object' && arg !== null ? place(arg) : undefined
      if (found?.req === request && typeof found.emit === 'function') return found
    }
  }
  return undefined
}

/** Whether Node's own parser has read the lines, of HTTP/1 in its strict mode: then they hold no forbidden byte. */
function isParsed(request) {
  const { socket } = request
  if (socket?.parser) return !insecure && socket.server !== undefined && !socket.server.insecureHTTPParser
  return request.httpVersionMajor === 2 && request.stream?.session !== undefined
}

/** Whether every value of a plain object holds what HTTP lets it hold. */
function isClean(object) {
  for (const name in object) if (!CLEAN.test(object[name])) return false
  return true
}

/** Whether `carrier` is a plain object of headers, rather than one that holds them somewhere. */
function isPlain(carrier) {
  const prototype = Object.getPrototypeOf(carrier)
  if (prototype !== Object.prototype && prototype !== null) return false
  const { headers, raw, req, rawHeaders, forEach } = carrier
  if (typeof headers === 'object' || typeof raw === 'object' || typeof req === 'object') return false
  return typeof rawHeaders !== 'object' && typeof forEach !== 'function' && carrier[Symbol.iterator] === undefined
}

/**
 * All header lines of a carrier, flat. Names and values are strings afterwards, whatever they were: values as `toText`
 * makes them.
 *
 * @throws {OnwardError} `unsupported_carrier`
 */
function lines(carrier, toText = text) {
  try {
    const read = reader(carrier, 0)
    if (read !== undefined) {
      const flat = []
      read((name, value) => push(flat, name, value, toText))
      return flat
    }
  } catch (error) {
    throw unsupported('its headers cannot be read', error)
  }
  throw unsupported('it holds no headers')
}

function unsupported(why, cause) {
  const advice = 'pass a request (node:http, Express, Fastify, Koa, Hapi, Hono, Fetch), Headers, a plain object, or an array of pairs'
  return new OnwardError('unsupported_carrier', '', `cannot read this carrier: ${why}; ${advice}`, { cause })
}

function reader(carrier, depth) {
  if (typeof carrier !== 'object' || carrier === null || depth > 3) return undefined
  if (Array.isArray(carrier)) return (visit) => list(carrier, visit)
  const request = incoming(carrier)
  if (request !== undefined) return (visit) => list(request.rawHeaders, visit)
  const metadata = metadataOf(carrier)
  if (metadata !== undefined) return (visit) => METADATA.each(metadata, visit)
  const isKeyed = typeof carrier.forEach === 'function' && typeof carrier.get === 'function'
  if (isKeyed) return (visit) => carrier.forEach((value, name) => visit(name, value))
  if (typeof carrier[Symbol.iterator] === 'function') return (visit) => list([...carrier], visit)
  // Hono's context and request, Fastify's request and Koa's context without a Node request in them, and Fetch requests.
  for (const inner of [carrier.req, carrier.raw, carrier.headers]) {
    if (typeof inner === 'object' && inner !== null && !Array.isArray(inner)) return reader(inner, depth + 1)
  }
  return (visit) => Object.keys(carrier).forEach((name) => visit(name, carrier[name]))
}

/** Pairs, or names and values in turn. */
function list(array, visit) {
  if (Array.isArray(array[0])) {
    for (const [name, value] of array) visit(name, value)
  } else {
    for (let i = 0; i + 1 < array.length; i += 2) visit(array[i], array[i + 1])
  }
}

function push(flat, name, value, toText) {
  if (typeof name !== 'string' || value === undefined || value === null) return
  if (Array.isArray(value)) for (const each of value) push(flat, name, Array.isArray(each) ? NO_TEXT : each, toText)
  else flat.push(name, toText(value))
}

function text(value) {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1')
  return NO_TEXT
}

/** Whether `value` looks like a request or a context that holds one: what a handler is called with. */
function isRequest(value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const holdsHeaders = (inner) => typeof inner?.headers === 'object' && inner.headers !== null
  try {
    if (incoming(value) !== undefined || metadataOf(value) !== undefined) return true
    return [value, value.req, value.req?.raw, value.raw].some(holdsHeaders)
  } catch {
    return false
  }
}

module.exports = { NO_TEXT, incoming, isParsed, isClean, isPlain, isRequest, lines, outgoing, text }
