// What a client of the matrix is, and what all of them share.

import dns from 'node:dns'

/**
 * One way to use a library.
 *
 * @typedef {object} Client
 * @property {string} name as the table shows it
 * @property {boolean} [instrumented] whether `onward.instrument()` is called for it, from its start to its end; a client
 *   without has Onward's explicit line in it
 * @property {(url: string) => Promise<string>} call sends a GET request, with `callerHeaders(url)` as the program's own
 *   headers, and gives the answer's text. Any status is an answer.
 * @property {boolean} [follows] false where a redirect out of the mesh is not followed, so that nothing may arrive there
 * @property {string[]} [lacks] headers that the protocol cannot hold
 * @property {boolean} [pads] whether the library writes base64 with its padding, whatever it is given
 * @property {'http/1.1' | 'h2c' | 'grpc'} [speaks] what the other side has to understand; `http/1.1` unless said otherwise
 */

/** A host name outside the mesh. What counts is the name that a request goes to, not the address behind it. */
export const OUTSIDE = 'api.example.com'

/** The headers that the program itself sets on a request to this URL: usually none. */
export function callerHeaders(url) {
  return url.includes('caller=wins') ? { tracestate: 'mine=1' } : {}
}

/** Lets `OUTSIDE` lead to loopback, for every client in this process. Gives what undoes it. */
export function resolveOutside() {
  const undo = [dns, dns.promises].map((place) => {
    const { lookup } = place
    place.lookup = (host, ...rest) => lookup(host === OUTSIDE ? '127.0.0.1' : host, ...rest)
    return () => {
      place.lookup = lookup
    }
  })
  return () => undo.forEach((each) => each())
}
