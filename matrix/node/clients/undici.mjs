// undici as a package, of two generations: instrumented, and with Onward's dispatcher.

import { undici } from 'onward'
import * as undici6 from 'undici6'
import * as undici7 from 'undici7'

import { callerHeaders } from './client.mjs'

function clients(name, { Agent, fetch, interceptors, request }) {
  const redirected = (agent) => agent.compose(interceptors.redirect({ maxRedirections: 5 }))
  const by = async (url, agent) => {
    try {
      return await (await request(url, { headers: callerHeaders(url), dispatcher: redirected(agent) })).body.text()
    } finally {
      await agent.close()
    }
  }
  return [
    { name, instrumented: true, call: (url) => by(url, new Agent()) },
    { name: `${name}, fetch`, instrumented: true, call: async (url) => (await fetch(url, { headers: callerHeaders(url) })).text() },
    { name: `${name}, \`onward.undici\``, call: (url) => by(url, undici(new Agent())) }
  ]
}

export const CLIENTS = [...clients('undici 6', undici6), ...clients('undici 7', undici7)]
