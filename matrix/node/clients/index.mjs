// The clients of the matrix: one file for each library, one `Client` for each way to use it.
//
// To add one, write its file with a list `CLIENTS`, and put that into `ALL`. What a client is stands in `client.mjs`. The
// process that calls does, once, `resolveOutside()` and, where the client is `instrumented`, `onward.instrument()`.

import * as axios from './axios.mjs'
import * as fetch from './fetch.mjs'
import * as got from './got.mjs'
import * as grpc from './grpc.mjs'
import * as http from './http.mjs'
import * as http2 from './http2.mjs'
import * as needle from './needle.mjs'
import * as nodeFetch from './node-fetch.mjs'
import * as superagent from './superagent.mjs'
import * as undici from './undici.mjs'

export { OUTSIDE, callerHeaders, resolveOutside } from './client.mjs'

/**
 * All of them, in the order of the table.
 *
 * @type {import('./client.mjs').Client[]}
 */
export const ALL = [
  ...fetch.CLIENTS,
  ...undici.CLIENTS,
  ...http.CLIENTS,
  ...axios.CLIENTS,
  ...got.CLIENTS,
  ...nodeFetch.CLIENTS,
  ...superagent.CLIENTS,
  ...needle.CLIENTS,
  ...http2.CLIENTS,
  ...grpc.CLIENTS
]
