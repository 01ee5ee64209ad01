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
    // Clients say no more than an authority or an origin.
    const known = this.#places.known(destination)
    if (known !== undefined) return known
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
    const decision = { inMesh: destination === undefined || this.inMesh(destination), taken: undefined }
    let signed = destination !== undefined && isPresigned(destination)
    each((name, value) => {
      const lower = String(name).toLowerCase()
      if (destination !== undefined && lower === plan.signature) signed ||= checked(native.isSigned(String(value)))
      const kin = plan.kinOf(lower)
      if (kin === null) return
      const isOwn = typeof kin === 'number' && lower === plan.clientDefault && isDefault !== undefined && isDefault(lower, value)
      if (!isOwn) (decision.taken ??= new Set()).add(kin)
    })
    return signed ? undefined : decision
  }

  /** Whether `name`, which `rule` selects, may go (rules R6 and R8). */
  mayGo(name, { anywhere, family }, { inMesh, taken }) {
    if (!inMesh && !anywhere) return false
    return taken === undefined || !taken.has(family >= 0 ? family : name)
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
