'use strict'

const URL_ITSELF = /^[a-z]+:\/\//i
// A query with a signature, and what URL parsers differ about.
const TELLING = /\?.*signature|[\\\x7f]/i

/**
 * Where a request to `path` of an authority goes. Nearly all are told by that alone, and there are few; a forward proxy gets the
 * whole URL as the path, and the request goes on to there.
 */
function destinationOf(scheme, authority, path) {
  if (URL_ITSELF.test(path)) return path
  return TELLING.test(path) ? scheme + authority + path : authority
}

/** The whole URL of a request to `path` of `origin`. */
function wholeUrl(origin, path) {
  return URL_ITSELF.test(path) ? path : origin + path
}

module.exports = { destinationOf, wholeUrl }
