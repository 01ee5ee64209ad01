// axios, which sends by node:http or, when asked to, by fetch.

import axios from 'axios'

import { callerHeaders } from './client.mjs'

const by = (adapter) => async (url) => {
  return (await axios.get(url, { adapter, headers: callerHeaders(url), responseType: 'text', validateStatus: () => true })).data
}

export const CLIENTS = [
  { name: 'axios', instrumented: true, call: by('http') },
  { name: 'axios, by fetch', instrumented: true, call: by('fetch') }
]
