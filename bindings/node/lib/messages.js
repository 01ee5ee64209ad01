'use strict'

const { isUtf8 } = require('node:buffer')

const { NO_TEXT, lines, text } = require('./carriers')
const { defaultPropagator } = require('./default')
const { OnwardError, checked } = require('./errors')
const { captured } = require('./headers')
const { FLAT, MAP, PAIRS, PLAIN, writer } = require('./outbound')
const { currentOrNone } = require('./scope')

// AMQP takes names of up to 255 bytes; only one under a prefix rule can be longer, and that one stays out of a table.
const LONGEST_NAME = 255

const TABLES = new Set([PLAIN, MAP])
const LISTS = new Set([PAIRS, FLAT])

function inject(message, { credentials = false } = {}) {
  const capture = captured(currentOrNone())
  if (capture === undefined) return message
  const headers = isHolder(message) ? (message.headers ?? {}) : message
  const kind = kindOf(headers)
  const flat = checked(capture.injectMessage(present(kind, headers), credentials === true, LISTS.has(kind)))
  for (let i = 0; i < flat.length; ) {
    const name = flat[i]
    const values = []
    for (; flat[i] === name; i += 2) values.push(value(flat[i + 1]))
    if (LISTS.has(kind) || name.length <= LONGEST_NAME) kind.write(headers, name, values)
  }
  if (headers !== message && flat.length > 0) message.headers = headers
  return message
}

function extract(message, { propagator = defaultPropagator() } = {}) {
  return propagator.extract(message === undefined || message === null ? [] : lines(message, bytes))
}

function explain(message = {}, { credentials = false } = {}) {
  const capture = captured(currentOrNone())
  if (capture === undefined) return []
  const headers = isHolder(message) ? (message.headers ?? {}) : message
  return checked(capture.explainMessage(present(kindOf(headers), headers), credentials === true))
}

/** Whether the headers are in `headers`, present or not: properties of AMQP, messages of Kafka. */
function isHolder(message) {
  if (typeof message !== 'object' || message === null || !('headers' in message)) return false
  const { headers } = message
  return headers === undefined || headers === null || (typeof headers === 'object' && !(headers instanceof Uint8Array))
}

function kindOf(headers) {
  const [kind] = writer(headers)
  if (TABLES.has(kind) || LISTS.has(kind)) return kind
  const advice = 'pass a plain object, a Map, an array of pairs, or what has one of them in `headers`'
  throw new OnwardError('unsupported_carrier', '', `cannot write headers to this message; ${advice}`)
}

/** What the message has already, flat. */
function present(kind, headers) {
  const flat = []
  kind.each(headers, (name, value) => flat.push(String(name), text(value)))
  return flat
}

/** What a message holds for the bytes of `latin1`: text, and the bytes themselves where they are no UTF-8. */
function value(latin1) {
  const buffer = Buffer.from(latin1, 'latin1')
  return isUtf8(buffer) ? buffer.toString('utf8') : buffer
}

/** The bytes that a value in a message stands for, as Latin-1 text. Through JSON, a `Buffer` is an object of its bytes. */
function bytes(value) {
  if (typeof value === 'string') return value.isWellFormed() ? Buffer.from(value, 'utf8').toString('latin1') : NO_TEXT
  const isBuffer = value?.type === 'Buffer' && Array.isArray(value.data)
  return text(isBuffer ? Buffer.from(value.data) : value)
}

module.exports = { explain, extract, inject }
