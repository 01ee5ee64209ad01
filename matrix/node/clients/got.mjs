// got, which sends by node:http.

import got from 'got'

import { callerHeaders } from './client.mjs'

const call = (url) => got(url, { headers: callerHeaders(url), throwHttpErrors: false, retry: { limit: 0 } }).text()

export const CLIENTS = [{ name: 'got', instrumented: true, call }]
