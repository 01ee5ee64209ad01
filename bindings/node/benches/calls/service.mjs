// `node service.mjs WAY CLIENT UPSTREAM`: a service that makes one call for each request, by one client, and forwards in one
// way. Says its port. At /cpu it tells how many nanoseconds of a processor it has had.

import { createRequire } from 'node:module'

import { NAMES, openTelemetry } from '../contenders.mjs'

const [way, client, upstream] = process.argv.slice(2)
// What is patched has to be required afterwards.
const require = createRequire(import.meta.url)
const propagated = await patch()
const http = require('node:http')
const agent = new http.Agent({ keepAlive: true })

const CALLS = {
  fetch: async (headers) => (await fetch(upstream, { headers })).text(),
  http: (headers) => new Promise((resolve, reject) => {
    const request = http.request(upstream, { agent, headers }, (response) => response.resume().on('end', resolve))
    request.on('error', reject).end()
  })
}

/** What the handler adds to its call by itself; `scope` also holds something for it, which Onward cannot do without. */
const HEADERS = {
  hand_written: ({ headers }) => Object.fromEntries(NAMES.filter((name) => headers[name] !== undefined).map((name) => [name, headers[name]])),
  opentelemetry: ({ headers }) => openTelemetry(headers),
  scope: (request) => HEADERS.hand_written(request)
}
const own = HEADERS[way] ?? (() => ({}))

const handler = propagated(async (request, response) => {
  await CALLS[client](own(request))
  response.end('ok')
})
const server = http.createServer((request, response) => {
  if (request.url !== '/cpu') return handler(request, response)
  const { user, system } = process.cpuUsage()
  return response.end(String((user + system) * 1000))
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
// The end of whoever has started this.
process.stdin.on('end', () => process.exit()).resume()

/** Patches the process as `way` does; what to wrap the handler in. */
async function patch() {
  if (way === 'scope') {
    const storage = new (require('node:async_hooks').AsyncLocalStorage)()
    return (plain) => (...args) => storage.run({}, plain, ...args)
  }
  if (way === 'hpropagate') require('hpropagate')({ setAndPropagateCorrelationId: false, headersToPropagate: NAMES })
  if (way === 'instrumentation') await import('./instrumentation.mjs')
  if (way !== 'onward') return (plain) => plain
  const onward = require('../../index.js')
  onward.instrument()
  return onward.propagate
}
