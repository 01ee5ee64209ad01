// What a server of the matrix is, and how its listener is started and stopped.

import { once } from 'node:events'
import { Readable } from 'node:stream'

/**
 * A framework, and how its server is started.
 *
 * @typedef {object} Server
 * @property {string} name as the table shows it
 * @property {(call: Call) => Promise<Running>} start starts it on loopback. Each of its handlers gives `to` of its query
 *   to `call`, and answers with the text that comes back. `/attribute` is under `propagate`, `/middleware` is covered by
 *   the framework's one line, `/bare` by neither.
 * @property {'http/1.1' | 'h2c' | 'grpc'} [speaks] how it is asked; `http/1.1` unless said otherwise
 * @property {string[]} [lacks] headers that the protocol cannot hold, or the server does not take
 */

/**
 * A client's call: sends a GET request to the URL and gives the answer's text.
 *
 * @typedef {(url: string) => Promise<string>} Call
 */

/**
 * A server that listens.
 *
 * @typedef {object} Running
 * @property {number} port
 * @property {() => Promise<void>} close stops it with the connections that are left
 */

/**
 * Starts a server of `node:http` or `node:http2`.
 *
 * @returns {Promise<Running>}
 */
export async function listening(server) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return running(server)
}

/**
 * A server of `node:http` that a framework has started.
 *
 * @returns {Running}
 */
export function running(server) {
  return {
    port: server.address().port,
    close: () => new Promise((resolve, reject) => {
      server.close((error) => (error ? reject(error) : resolve()))
      server.closeAllConnections?.()
    })
  }
}

/** One listener made of two: what begins with `/middleware` goes to the covered one, everything else to the other. */
export function split(covered, bare) {
  return (request, response) => (request.url.startsWith('/middleware') ? covered : bare)(request, response)
}

/** The URL to call, of a request's own URL. */
export function target(url) {
  return new URL(url, 'http://service/').searchParams.get('to')
}

/** A body of two pieces: the second one comes of a call. */
export function streamed(call) {
  return Readable.from(pieces(call), { objectMode: false })
}

async function* pieces(call) {
  yield ' '
  yield await call()
}
