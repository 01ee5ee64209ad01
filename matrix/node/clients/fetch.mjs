// The global fetch: instrumented, and with headers by hand.

import { current } from 'onward'

import { callerHeaders } from './client.mjs'

export const CLIENTS = [
  {
    name: 'fetch',
    instrumented: true,
    call: async (url) => (await fetch(url, { headers: callerHeaders(url) })).text()
  },
  {
    name: 'any, by `inject`',
    follows: false,
    call: async (url) => {
      const headers = current().inject(callerHeaders(url), url)
      return (await fetch(url, { headers, redirect: 'manual' })).text()
    }
  }
]
