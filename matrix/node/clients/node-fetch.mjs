// node-fetch, which sends by node:http.

import fetch from 'node-fetch'

import { callerHeaders } from './client.mjs'

const call = async (url) => (await fetch(url, { headers: callerHeaders(url) })).text()

export const CLIENTS = [{ name: 'node-fetch', instrumented: true, call }]
