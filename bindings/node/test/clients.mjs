// Every client of the tests: how it sends one request, and what it does by itself.

import http from 'node:http'
import http2 from 'node:http2'
import { once } from 'node:events'
import { json } from 'node:stream/consumers'
import axios from 'axios'
import got from 'got'
import needle from 'needle'
import nodeFetch from 'node-fetch'
import superagent from 'superagent'
import * as undici6 from 'undici'
import * as undici7 from 'undici7'

import { undici } from '../index.mjs'

const [major, minor] = process.versions.node.split('.').map(Number)

/** The generations of undici that this Node can load. */
export const UNDICI = {
  'undici 6': undici6,
  'undici 7': undici7,
  ...(major > 22 || (major === 22 && minor >= 19) ? { 'undici 8': await import('undici8') } : {})
}

/**
 * A client.
 *
 * @typedef {object} Client
 * @property {(url: string, headers?: object, options?: { method?: string, body?: string }) => Promise<[string, string][]>} send
 *   sends a request to `echo`, and gives the lines that arrived
 * @property {boolean} [follows] whether it follows redirects
 * @property {boolean} [remembers] whether it is known on a redirect what the caller had set before it
 * @property {RegExp} [own] what it calls itself
 * @property {boolean} [joins] whether repeated lines are one line on the wire
 * @property {boolean} [explicit] whether it has Onward's object in it, and is not to be instrumented
 * @property {'http2'} [speaks]
 */

/** @type {{ [name: string]: Client }} */
export const CLIENTS = {
  'fetch': {
    send: async (url, headers, options) => (await fetch(url, { headers, ...options })).json(),
    follows: true,
    remembers: true,
    own: /^node$/
  },
  'node:http': {
    send: async (url, headers, { method, body } = {}) => {
      const [response] = await once(http.request(url, { headers, method }).end(body), 'response')
      return json(response)
    }
  },
  'axios': {
    send: async (url, headers, { method, body } = {}) => (await axios(url, { headers, method, data: body })).data,
    follows: true,
    remembers: true,
    own: /^axios\//
  },
  'axios, by fetch': {
    send: async (url, headers, { method, body } = {}) => (await axios(url, { adapter: 'fetch', headers, method, data: body })).data,
    follows: true,
    remembers: true,
    own: /^axios\//
  },
  'got': {
    send: (url, headers, options) => got(url, { headers, ...options }).json(),
    follows: true,
    remembers: true,
    own: /^got /
  },
  'node-fetch': {
    send: async (url, headers, options) => (await nodeFetch(url, { headers, ...options })).json(),
    follows: true,
    remembers: true,
    own: /^node-fetch$/
  },
  'superagent': {
    send: async (url, headers = {}, { method = 'GET', body } = {}) => (await superagent(method, url).set(headers).send(body)).body,
    follows: true,
    remembers: true
  },
  'needle': {
    send: async (url, headers, { method = 'get', body } = {}) => {
      return (await needle(method.toLowerCase(), url, body, { headers, follow_max: 5, json: false })).body
    },
    follows: true,
    remembers: true,
    own: /^Needle\//
  },
  'node:http2': {
    send: async (url, headers, { method = 'GET', body } = {}) => {
      const session = http2.connect(url)
      const { pathname, search } = new URL(url)
      try {
        return await json(session.request({ ...headers, ':path': pathname + search, ':method': method }).end(body))
      } finally {
        session.close()
      }
    },
    joins: true,
    speaks: 'http2'
  },
  ...Object.assign({}, ...Object.entries(UNDICI).map(([name, library]) => generation(name, library)))
}

function generation(name, { Agent, fetch, interceptors, request }) {
  // Made when it is first used, as in a program: what was composed before `instrument()` keeps what it was composed of.
  const sendBy = (make) => {
    let dispatcher
    return async (url, headers, options) => {
      dispatcher ??= make?.().compose(interceptors.redirect({ maxRedirections: 5 }))
      return (await request(url, { headers, dispatcher, ...options })).body.json()
    }
  }
  return {
    [`${name}, request`]: { send: sendBy(), follows: false },
    [`${name}, redirect interceptor`]: { send: sendBy(() => new Agent()), follows: true, remembers: true },
    [`${name}, fetch`]: {
      send: async (url, headers, options) => (await fetch(url, { headers, ...options })).json(),
      follows: true,
      own: /^undici$/
    },
    [`${name}, explicit`]: { send: sendBy(() => undici(new Agent())), follows: true, remembers: true, explicit: true }
  }
}
