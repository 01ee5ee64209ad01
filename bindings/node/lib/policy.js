'use strict'

const native = require('./native')
const { OnwardError, checked } = require('./errors')
const { memoize } = require('./memoize')
const { Plan } = require('./plan')

// The core reads these differently from a URL parser, so their authority alone would not say the same.
const UNUSUAL_URL = /[\x00-\x20\\\x7f]/

/** A compiled policy: the plan that is run here, and the core that answers everything else. */
class Policy {
  constructor(compiled) {
    this.core = checked(compiled)
    this.plan = new Plan(checked(this.core.plan()), (name) => checked(this.core.rank(name)))
  }

  #places = memoize((authority) => checked(this.core.inMesh(authority)))

  /** What the core captures from a flat list of names and values. */
  capture(lines) {
    return checked(this.core.extract(lines))
  }

  /** Whether a URL or an authority is in the mesh. */
  inMesh(destination) {
    const authority = authorityOf(destination)
    return authority === undefined ? checked(this.core.inMesh(destination)) : this.#places(authority)
  }

  /**
   * What may be added to an outbound request; undefined if nothing may, because it is signed.
   *
   * @param each visits the lines that the request has
   * @param isDefault tells whether the line that client libraries like to set is their own
   */
  decide(each, destination, isDefault) {
    const { plan } = this
    const decision = { inMesh: destination === undefined || this.inMesh(destination), families: undefined, names: undefined }
    let signed = destination !== undefined && isPresigned(destination)
    each((name, value) => {
      const lower = String(name).toLowerCase()
      if (destination !== undefined && lower === plan.signature) signed ||= checked(native.isSigned(String(value)))
      const family = plan.familyOf(lower)
      if (family >= 0) {
        const isOwn = lower === plan.clientDefault && isDefault !== undefined && isDefault(lower, value)
        if (!isOwn) (decision.families ??= new Set()).add(family)
      } else if (plan.isLonePrefix(lower)) {
        (decision.names ??= new Set()).add(lower)
      }
    })
    return signed ? undefined : decision
  }

  /** Whether `name`, which the policy selects, may go (rules R6 and R8). */
  mayGo(name, decision) {
    const rule = this.plan.rule(name)
    if (!decision.inMesh && !rule.anywhere) return false
    return rule.family >= 0 ? !decision.families?.has(rule.family) : !decision.names?.has(name)
  }
}

/** The part of a URL up to its path, or an authority; undefined where only the core can tell. */
function authorityOf(destination) {
  if (UNUSUAL_URL.test(destination)) return undefined
  const start = destination.indexOf('://')
  const end = destination.slice(start < 0 ? 0 : start + 3).search(/[/?#]/)
  return end < 0 ? destination : destination.slice(0, (start < 0 ? 0 : start + 3) + end)
}

/** Whether the URL carries a signature. Only a query that speaks of one is worth the way to the core. */
function isPresigned(destination) {
  return /\?.*signature/i.test(destination) && checked(native.isPresigned(destination))
}

/** A destination as text: it may be given as a `URL` too. */
function destinationText(destination) {
  if (destination === undefined || typeof destination === 'string') return destination
  if (destination instanceof URL) return destination.href
  const message = 'a destination is a URL or an authority such as `reviews:9080`'
  throw new OnwardError('invalid_argument', typeof destination, message)
}

module.exports = { Policy, destinationText, isPresigned }
