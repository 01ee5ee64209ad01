// superagent, which sends by node:http.

import superagent from 'superagent'

import { callerHeaders } from './client.mjs'

const call = async (url) => (await superagent.get(url).set(callerHeaders(url)).ok(() => true)).text

export const CLIENTS = [{ name: 'superagent', instrumented: true, call }]
