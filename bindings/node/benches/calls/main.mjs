// What forwarding costs a whole service that makes one call for each request. Every way has a process for itself; what it
// calls, and whoever calls it, is this one. `--rounds N` sets how many rounds, `--json` prints one object.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import { L, S } from '../fixtures.mjs'

const { values: options } = parseArgs({ options: { json: { type: 'boolean' }, rounds: { type: 'string', default: '31' } } })
const rounds = Math.max(25, Number(options.rounds))
const WAYS = ['none', 'hand_written', 'scope', 'hpropagate', 'opentelemetry', 'instrumentation', 'onward']
// hpropagate knows nothing of fetch.
const CLIENTS = { fetch: WAYS.filter((way) => way !== 'hpropagate'), http: WAYS }
const CONNECTIONS = 8
const REQUESTS = 160
// V8 goes on compiling for the first ten thousand requests.
const WARM_UP = 80

/** The header by which one sees that a way forwards. */
const PROOF = 'x-b3-traceid'
let seen

const upstream = http.createServer((request, response) => {
  seen = request.headers[PROOF]
  response.end('ok')
})
upstream.keepAliveTimeout = 60_000
await once(upstream.listen(0, '127.0.0.1'), 'listening')

const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS })

function ask(port, path, headers) {
  return new Promise((resolve, reject) => {
    const request = http.get({ port, path, headers, agent, host: '127.0.0.1' }, async (response) => {
      let body = ''
      for await (const part of response.setEncoding('latin1')) body += part
      if (response.statusCode === 200) resolve(body)
      else reject(new Error(`the service answers ${response.statusCode}`))
    })
    request.on('error', reject)
  })
}

async function start(way, client) {
  const file = fileURLToPath(new URL('service.mjs', import.meta.url))
  const url = `http://127.0.0.1:${upstream.address().port}/`
  const child = spawn(process.execPath, [file, way, client, url], { stdio: ['pipe', 'pipe', 'inherit'] })
  const port = Number(await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => { throw new Error(`${way} has ended`) })]))
  return { way, child, port, rates: [], cpu: [] }
}

/** One service for a moment: requests a second, and nanoseconds of its processor for each. */
async function slot({ port }, headers) {
  const cpu = Number(await ask(port, '/cpu'))
  const started = process.hrtime.bigint()
  const each = async () => { for (let i = 0; i < REQUESTS / CONNECTIONS; i++) await ask(port, '/', headers) }
  await Promise.all(Array.from({ length: CONNECTIONS }, each))
  const seconds = Number(process.hrtime.bigint() - started) / 1e9
  return { rate: REQUESTS / seconds, cpu: (Number(await ask(port, '/cpu')) - cpu) / REQUESTS }
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]

async function measure(client, ways, [fixture, lines]) {
  const headers = Object.fromEntries(lines)
  const services = await Promise.all(ways.map((way) => start(way, client)))
  try {
    for (const { way, port } of services) {
      await ask(port, '/', headers)
      if ((seen !== undefined) !== (way !== 'none')) throw new Error(`${way}, ${client}: the call has ${PROOF}: ${seen}`)
    }
    for (let round = -WARM_UP; round < rounds; round++) {
      for (let turn = 0; turn < services.length; turn++) {
        const service = services[(turn + round + WARM_UP) % services.length]
        const { rate, cpu } = await slot(service, headers)
        if (round < 0) continue
        service.rates.push(rate)
        service.cpu.push(cpu)
      }
    }
    return services.map(({ way, rates, cpu }) => ({ client, fixture, way, per_second: median(rates), cpu_ns: median(cpu) }))
  } finally {
    for (const { child } of services) child.stdin.end()
  }
}

const results = []
try {
  for (const [client, ways] of Object.entries(CLIENTS)) {
    for (const fixture of Object.entries({ S, L })) results.push(...(await measure(client, ways, fixture)))
  }
} finally {
  agent.destroy()
  upstream.close()
  upstream.closeAllConnections()
}

if (options.json) console.log(JSON.stringify({ rounds, results }))
else {
  const none = ({ client, fixture }) => results.find((row) => row.client === client && row.fixture === fixture && row.way === 'none')
  console.table(results.map((row) => ({
    'client': row.client, 'fixture': row.fixture, 'way': row.way, 'a second': Math.round(row.per_second), 'CPU us': Number((row.cpu_ns / 1000).toFixed(1)),
    'kept, of a second': Number((row.per_second / none(row).per_second).toFixed(2)), 'kept, of the CPU': Number((none(row).cpu_ns / row.cpu_ns).toFixed(2))
  })))
}
