// node:http2, instrumented. It follows no redirects.

import http2 from 'node:http2'
import { text } from 'node:stream/consumers'

import { callerHeaders } from './client.mjs'

async function call(url) {
  const session = http2.connect(url)
  const { pathname, search } = new URL(url)
  try {
    return await text(session.request({ ...callerHeaders(url), ':path': `${pathname}${search}` }))
  } finally {
    session.close()
  }
}

export const CLIENTS = [{ name: 'node:http2', instrumented: true, follows: false, speaks: 'h2c', call }]
