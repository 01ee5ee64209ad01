'use strict'

const { orUntouched } = require('./clients/failure')
const { checked } = require('./errors')
const { reportedSpan, spanOnRequest } = require('./opentelemetry')
const { destinationText, isPresigned } = require('./policy')
const { unwritable, writer } = require('./outbound')

const OURS = Symbol('onward')

/** What was captured of one inbound request. */
class ForwardHeaders {
  #policy
  /** Lines as Node's parser has read them, until something needs the headers in them. */
  #source
  /** One value per name: what nearly every request comes to. */
  #picked
  /** What the core captured, of any other request. */
  #capture
  #lines
  #ids
  /** Of headers on their way out beside a tracer: what came in, and the context of the span that is their parent. */
  #cameIn
  #parent
  /** The headers on their way out, by span. */
  #children

  constructor(key, policy, source, picked, capture) {
    if (key !== OURS) throw new TypeError('ForwardHeaders come from Propagator.extract')
    this.#policy = policy
    this.#source = source
    this.#picked = picked
    this.#capture = capture
  }

  get size() {
    return this.#flat().length / 2
  }

  get(name) {
    const wanted = String(name).toLowerCase()
    for (const [present, value] of this) if (present === wanted) return value
    return undefined
  }

  *[Symbol.iterator]() {
    const flat = this.#flat()
    for (let i = 0; i < flat.length; i += 2) yield [flat[i], flat[i + 1]]
  }

  get requestId() {
    return this.#idsOf().requestId
  }

  get traceId() {
    return this.#idsOf().traceId
  }

  get dropped() {
    this.#resolve()
    const flat = this.#capture === undefined ? [] : checked(this.#capture.dropped())
    return Array.from({ length: flat.length / 2 }, (_, i) => ({ name: flat[2 * i], reason: flat[2 * i + 1] }))
  }

  get droppedCount() {
    this.#resolve()
    return this.#capture === undefined ? 0 : checked(this.#capture.droppedCount())
  }

  inject(carrier, destination) {
    const text = destinationText(destination)
    try {
      const [kind, into] = writer(carrier)
      this.#beside(reportedSpan).#write(kind, into, text)
      return carrier
    } catch (error) {
      throw unwritable(error)
    }
  }

  toObject(destination) {
    return this.inject({}, destination)
  }

  explain(destination, outbound, defaults = []) {
    if (this.#policy === undefined) return []
    const present = []
    if (outbound !== undefined) {
      try {
        const [kind, from] = writer(outbound)
        kind.each(from, (name, value) => present.push(String(name), String(value)))
      } catch (error) {
        throw unwritable(error)
      }
    }
    return checked(this.#beside(reportedSpan).#captured().explain(destinationText(destination), present, defaults))
  }

  withParent({ traceId, spanId, traceFlags, traceState }) {
    if (this.#policy === undefined) return this
    const state = typeof traceState === 'string' ? traceState : (traceState?.serialize() ?? '')
    const capture = checked(this.#captured().withParent(traceId, spanId, traceFlags, state))
    return new ForwardHeaders(OURS, this.#policy, undefined, undefined, capture)
  }

  [Symbol.for('nodejs.util.inspect.custom')]() {
    // Values may be credentials.
    return `ForwardHeaders { ${[...this].map(([name]) => name).join(', ')} }`
  }

  /** The same with the span that `find` gives as the parent, if it gives one (rule R13). */
  #beside(find) {
    return orUntouched(() => {
      const span = this.#policy === undefined ? undefined : find()
      if (span === undefined) return this
      this.#children ??= new WeakMap()
      if (!this.#children.has(span)) this.#children.set(span, this.#child(span.spanContext()))
      return this.#children.get(span)
    }, this)
  }

  #child(parent) {
    const child = this.withParent(parent)
    child.#cameIn = this
    child.#parent = parent
    return child
  }

  /** The same with the parent that a tracer has put on the request, so that no two headers contradict each other. */
  #agreeing(kind, into) {
    if (this.#cameIn === undefined) return this
    const put = orUntouched(() => spanOnRequest(this.#parent, (visit) => kind.each(into, visit)), undefined)
    return put === undefined ? this : this.#cameIn.withParent(put)
  }

  #resolve() {
    if (this.#source === undefined) return
    this.#picked = this.#policy.plan.pick(this.#source, {})
    if (this.#picked === undefined) this.#capture = this.#policy.capture(this.#source)
    // The rest of the request need not live as long as this.
    this.#source = undefined
  }

  /** The same headers in the core's hands. */
  #captured() {
    this.#resolve()
    return this.#capture ?? this.#policy.capture(this.#flat())
  }

  #idsOf() {
    // Asked for with every log line of a request.
    this.#ids ??= this.#policy === undefined ? {} : checked(this.#captured().ids())
    return this.#ids
  }

  #flat() {
    if (this.#lines === undefined) {
      this.#resolve()
      this.#lines = this.#picked === undefined ? checked(this.#capture.lines()) : flat(this.#picked)
    }
    return this.#lines
  }

  /** Writes what may go. `isDefault` tells which lines the client library has set by itself. */
  #write(kind, into, destination, isDefault) {
    if (this.#policy === undefined) return
    if (kind.isEmpty?.(into) && (destination === undefined || this.#isFree(destination)) && this.#copy(into)) return
    const decision = this.#policy.decide((visit) => kind.each(into, visit), destination, isDefault)
    if (decision === undefined) return
    const flat = this.#agreeing(kind, into).#flat()
    for (let i = 0; i < flat.length; ) {
      const name = flat[i]
      const values = [flat[i + 1]]
      for (i += 2; flat[i] === name; i += 2) values.push(flat[i + 1])
      const rule = this.#policy.plan.rule(name)
      if (this.#policy.mayGo(name, rule, decision)) kind.write(into, name, values, rule.separator)
    }
  }

  #isFree(destination) {
    return this.#policy.inMesh(destination) && !isPresigned(destination)
  }

  /** The quick way into an empty plain object. */
  #copy(object) {
    if (this.#source !== undefined) return this.#policy.plan.pick(this.#source, object) !== undefined
    if (this.#picked === undefined) return false
    for (const name of Object.keys(this.#picked)) object[name] = this.#picked[name]
    return true
  }

  /** Onward's own way to make one: from lines that Node's parser has read, from one value per name, or by the core. */
  static [OURS]({ policy, source, picked, capture }) {
    return new ForwardHeaders(OURS, policy, source, picked, capture)
  }

  /** Onward's own way to write to a client's request. */
  static [Symbol.for('onward.write')](headers, kind, into, destination, isDefault) {
    headers.#write(kind, into, destination, isDefault)
  }

  /** Onward's own way to what leaves beside a tracer. */
  static [Symbol.for('onward.beside')](headers, find = reportedSpan) {
    return headers.#beside(find)
  }

  /** Onward's own way to the headers in the core's hands; undefined where there was no request. */
  static [Symbol.for('onward.captured')](headers) {
    return headers?.#policy === undefined ? undefined : headers.#captured()
  }
}

/** Names and values in turn. */
function flat(object) {
  const lines = []
  for (const name of Object.keys(object)) lines.push(name, object[name])
  return lines
}

const make = ForwardHeaders[OURS]
const write = ForwardHeaders[Symbol.for('onward.write')]
const beside = ForwardHeaders[Symbol.for('onward.beside')]
const captured = ForwardHeaders[Symbol.for('onward.captured')]
delete ForwardHeaders[OURS]
delete ForwardHeaders[Symbol.for('onward.write')]
delete ForwardHeaders[Symbol.for('onward.beside')]
delete ForwardHeaders[Symbol.for('onward.captured')]

const EMPTY = make({ picked: {} })

module.exports = { ForwardHeaders, EMPTY, beside, captured, make, write }
