'use strict'

const { pickers } = require('./codegen')
const { memoize } = require('./memoize')

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** A policy as the core compiled it, ready to run. Everything that depends on a header's name is data in here. */
class Plan {
  #rules
  #relatives
  #rank

  /**
   * @param data the core's plan
   * @param rank the core's answer to which rule selects a name: asked for names that a prefix may select
   */
  constructor(data, rank) {
    const { traceAnywhere, signature, clientDefault, maxBytes, maxPrefixHeaders } = data
    const rule = ({ name, class: kind, family, separator }) => {
      return { name, class: kind, family, separator, anywhere: kind === 'trace' && traceAnywhere }
    }
    Object.assign(this, { signature, clientDefault, maxBytes, maxPrefixHeaders })
    this.headers = data.headers.map(rule)
    this.prefixes = data.prefixes.map(rule)
    this.#rules = new Map(this.headers.map((header) => [header.name, header]))
    this.#relatives = patterns(data.relatives)
    this.#rank = memoize(rank)
    /**
     * What `name`, in lower case and found on an outbound request, stands for: its family's number; itself, if a prefix rule
     * without a family selects it; null if nothing.
     */
    this.kinOf = memoize((name) => this.#kin(name))
    const { pick, pickObject } = pickers(this)
    this.pick = pick
    this.pickObject = pickObject
  }

  /** The rule that selects `name`, which is in lower case. */
  rule(name) {
    return this.#rules.get(name) ?? this.#prefixRule(name)
  }

  #prefixRule(name) {
    if (!this.prefixes.some((rule) => name.startsWith(rule.name))) return undefined
    return this.prefixes[this.#rank(name) - this.headers.length]
  }

  #kin(name) {
    const family = (this.#rules.get(name) ?? this.#relatives(name))?.family ?? -1
    if (family >= 0) return family
    return this.#prefixRule(name)?.family === -1 ? name : null
  }

  /**
   * For a name that no rule selects by itself: in lower case if a prefix rule does, null if none does, undefined if that
   * is for the core to say.
   */
  prefixed(name) {
    const lower = name.toLowerCase()
    if (!this.prefixes.some((rule) => lower.startsWith(rule.name))) return null
    if (!TOKEN.test(name)) return undefined
    return this.#prefixRule(lower) === undefined ? null : lower
  }
}

/** Looks a name up among names and, with a `*`, prefixes. */
function patterns(list) {
  const exact = new Map()
  const prefixes = []
  for (const entry of list) {
    if (entry.name.endsWith('*')) prefixes.push([entry.name.slice(0, -1), entry])
    else exact.set(entry.name, entry)
  }
  return (name) => exact.get(name) ?? prefixes.find(([prefix]) => name.startsWith(prefix))?.[1]
}

module.exports = { Plan }
