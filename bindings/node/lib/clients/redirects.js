'use strict'

// Libraries on node:http follow a redirect by a request of their own, while they handle the answer to the one before. They
// take credentials of the caller away then; the caller has spoken about them all the same.

const { AsyncLocalStorage } = require('node:async_hooks')

const { FLAT } = require('../outbound')
const { wholeUrl } = require('./destination')

const LINES = Symbol('onward lines')
const REDIRECT = Symbol('onward redirect')
/** While the answer of one that redirects is handled: where it leads, and what the caller had set. Other answers cost nothing. */
const redirects = new AsyncLocalStorage()

/** To be called with headers that are an array, in pairs or flat: Node writes them out, and the request has none of them. */
function keep(request, headers) {
  request[LINES] = Array.isArray(headers[0]) ? headers.flatMap(([name, value]) => [name, value]) : [...headers]
}

/** To be called where `request` is made. */
function made(request) {
  const redirect = redirects.getStore()
  if (redirect !== undefined) request[REDIRECT] = redirect
}

/** To be called where Node hands the answer over: each has an asynchronous context of its own. */
function answered(request, response) {
  const { statusCode } = response
  if (statusCode < 300 || statusCode >= 400) return
  const { location } = response.headers
  const from = urlOf(request)
  if (location === undefined || !URL.canParse(location, from)) return
  const to = new URL(location, from)
  to.hash = ''
  redirects.enterWith({ to: to.href, spoken: [...linesOf(request), ...spokenBefore(request)] })
}

/** The lines that the caller had set on the requests that were redirected to this one, flat. */
function spokenBefore(request) {
  const redirect = request[REDIRECT]
  return redirect !== undefined && redirect.to === urlOf(request) ? redirect.spoken : []
}

/** What was set on the request, flat. It stays as it is: superagent takes it along when it is redirected. */
function linesOf(request) {
  if (request[LINES] !== undefined) return [...request[LINES]]
  const lines = []
  for (const name of request.getRawHeaderNames()) lines.push(name, request.getHeader(name))
  return lines
}

function urlOf(request) {
  let host
  FLAT.each(linesOf(request), (name, value) => {
    if (String(name).toLowerCase() === 'host') host ??= value
  })
  return wholeUrl(`${request.protocol}//${host ?? request.host}`, request.path)
}

module.exports = { answered, keep, linesOf, made, spokenBefore, urlOf }
