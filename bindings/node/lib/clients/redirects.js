'use strict'

// Libraries on node:http follow a redirect by a request of their own, while they handle the answer to the one before. They
// take credentials of the caller away then; the caller has spoken about them all the same.

const { AsyncLocalStorage } = require('node:async_hooks')

const HOP = Symbol('onward hop')
/** The hop whose answer is being handled. */
const hops = new AsyncLocalStorage()

/** The request that `create` makes, known to whatever is sent while its answer is handled. */
function hop(create) {
  const before = hops.getStore()
  // No chain of all that a service has ever sent.
  if (before !== undefined) before.before = undefined
  const made = { before, request: undefined, spoken: [] }
  const request = hops.run(made, create)
  made.request = request
  request[HOP] = made
  return request
}

/** The lines that the caller has set: the pairs in `lines`, and those of the requests that were redirected to this one. */
function spoken(request, lines) {
  const made = request[HOP]
  if (made === undefined) return [...lines]
  const isNext = made.before !== undefined && isRedirect(made.before.request, request)
  made.spoken = isNext ? [...lines, ...made.before.spoken] : [...lines]
  return made.spoken
}

function isRedirect(from, to) {
  const { statusCode, headers } = from?.res ?? {}
  if (!(statusCode >= 300 && statusCode < 400) || !URL.canParse(headers.location, urlOf(from))) return false
  const next = new URL(headers.location, urlOf(from))
  next.hash = ''
  return next.href === urlOf(to)
}

function urlOf(request) {
  return `${request.protocol}//${request.getHeader('host') ?? request.host}${request.path}`
}

module.exports = { hop, spoken }
