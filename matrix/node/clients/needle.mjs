// needle, which sends by node:http.

import needle from 'needle'

import { callerHeaders } from './client.mjs'

const call = async (url) => (await needle('get', url, { headers: callerHeaders(url), follow_max: 5 })).body.toString()

export const CLIENTS = [{ name: 'needle', instrumented: true, call }]
