'use strict'

const { orUntouched } = require('./clients/failure')
const native = require('./native')
const { OnwardError } = require('./errors')
const { invalid, known } = require('./options')
const { Policy, destinationText } = require('./policy')
const { incoming, isParsed, isClean, isPlain, lines } = require('./carriers')
const { make } = require('./headers')
const { reportedSpan } = require('./opentelemetry')

const LISTS = ['presets', 'add', 'remove', 'meshHosts']
const LIMITS = ['maxBytes', 'maxPrefixHeaders']
const OPTIONS = [...LISTS, ...LIMITS, 'traceDestinations']

class Propagator {
  #policy

  constructor(options = {}) {
    this.#policy = options instanceof Policy ? options : new Policy(native.compile(checkedOptions(options, OPTIONS)))
  }

  static fromEnv(env = process.env, limits = {}) {
    const { maxBytes, maxPrefixHeaders } = checkedOptions(limits, LIMITS)
    const variables = Object.keys(env).filter((name) => name.startsWith('ONWARD_') && env[name] !== undefined)
    const flat = variables.flatMap((name) => [name, String(env[name])])
    return new Propagator(new Policy(native.compileEnv(flat, maxBytes, maxPrefixHeaders)))
  }

  derive(changes = {}) {
    return new Propagator(new Policy(this.#policy.core.derive(checkedOptions(changes, OPTIONS))))
  }

  get names() {
    const { headers, prefixes } = this.#policy.plan
    return [...headers.map(({ name }) => name), ...prefixes.map(({ name }) => `${name}*`)]
  }

  extract(carrier) {
    const request = parsedRequest(carrier)
    if (request !== undefined) return make({ policy: this.#policy, source: request.rawHeaders })
    const read = this.#read(carrier)
    return make({ policy: this.#policy, ...read })
  }

  getForwardHeaders(carrier, destination) {
    if (orUntouched(reportedSpan) !== undefined) return this.extract(carrier).toObject(destination)
    const request = parsedRequest(carrier)
    if (request !== undefined && destination === undefined) {
      const picked = this.#policy.plan.pick(request.rawHeaders, {})
      if (picked !== undefined) return picked
    } else if (request === undefined && destination === undefined) {
      const read = this.#read(carrier)
      if (read.picked !== undefined) return read.picked
      return make({ policy: this.#policy, ...read }).toObject()
    }
    return this.extract(carrier).toObject(destination)
  }

  inMesh(destination) {
    return this.#policy.inMesh(destinationText(destination) ?? '')
  }

  explain(carrier, destination, outbound) {
    return this.extract(carrier).explain(destination, outbound)
  }

  /** Reads a carrier that may change afterwards, or hold anything: at once, and with every value checked. */
  #read(carrier) {
    const { plan } = this.#policy
    let picked
    try {
      if (isPlain(carrier)) picked = plan.pickObject(carrier, {})
    } catch {
      // What cannot be read quickly is read, or refused, below.
    }
    if (picked !== undefined && isClean(picked)) return { picked }
    const flat = lines(carrier)
    picked = plan.pick(flat, {})
    return picked !== undefined && isClean(picked) ? { picked } : { capture: this.#policy.capture(flat) }
  }
}

/** The request that Node's parser has read, if `carrier` is or holds one. */
function parsedRequest(carrier) {
  if (typeof carrier !== 'object' || carrier === null) return undefined
  try {
    const request = incoming(carrier)
    return request !== undefined && isParsed(request) ? request : undefined
  } catch {
    return undefined
  }
}

function checkedOptions(options, names) {
  for (const [name, value] of Object.entries(known(options, names))) {
    if (value === undefined) continue
    if (LISTS.includes(name) && !(Array.isArray(value) && value.every((each) => typeof each === 'string'))) {
      throw invalid(name, `\`${name}\` is a list of strings`)
    }
    if (LIMITS.includes(name) && !(Number.isSafeInteger(value) && value >= 0)) {
      throw new OnwardError('invalid_limit', String(value), `\`${String(value)}\` is no limit; \`${name}\` is a whole number`)
    }
    if (name === 'traceDestinations' && typeof value !== 'string') throw invalid(name, `\`${name}\` is 'all' or 'mesh'`)
  }
  return options
}

module.exports = { Propagator }
