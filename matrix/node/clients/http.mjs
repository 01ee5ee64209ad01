// node:http, instrumented. It follows no redirects.

import http from 'node:http'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

import { callerHeaders } from './client.mjs'

async function call(url) {
  const [response] = await once(http.get(url, { headers: callerHeaders(url) }), 'response')
  return text(response)
}

export const CLIENTS = [{ name: 'node:http', instrumented: true, follows: false, call }]
