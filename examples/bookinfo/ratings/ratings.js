'use strict'

// Bookinfo's ratings service: `node ratings.js PORT`. A leaf: it calls nobody, so it has nothing to forward.
//
//   GET  /health        200 or, for v-unhealthy, at times 500
//   GET  /ratings/<int> {"id":0,"ratings":{"Reviewer1":5,"Reviewer2":4}}
//   POST /ratings/<int> replaces that product's ratings, in memory

const http = require('node:http')
const { createFaults } = require('./faults')

const MAX_BYTES = 64 * 1024

/**
 * The service, not yet listening.
 *
 * @param {Record<string, string | undefined>} env the environment variables that it honours (see the README)
 * @param {ReturnType<typeof createFaults>} faults how it misbehaves
 * @returns {http.Server}
 */
function createServer(env = process.env, faults = createFaults(env.SERVICE_VERSION)) {
  const databaseBacked = env.SERVICE_VERSION === 'v2'
  const posted = new Map()

  function health() {
    return faults.healthy() ? [200, { status: 'Ratings is healthy' }] : [500, { status: 'Ratings is not healthy' }]
  }

  async function getRatings(id) {
    // The database of v2 is not part of this demo: the answer is that of a v2 which cannot reach one.
    if (databaseBacked) return [500, { error: 'could not connect to ratings database' }]
    const { unavailable, delayMs } = faults.next()
    if (unavailable) return [503, { error: 'Service unavailable' }]
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs))
    return [200, { id, ratings: posted.get(id) ?? { Reviewer1: 5, Reviewer2: 4 } }]
  }

  async function postRatings(id, req) {
    const ratings = parseObject(await readBody(req))
    if (ratings === undefined) return [400, { error: 'please provide valid ratings JSON' }]
    if (databaseBacked) return [501, { error: 'Post not implemented for database backed ratings' }]
    posted.set(id, ratings)
    return [200, { id, ratings }]
  }

  async function answer(req) {
    const path = req.url.split('?', 1)[0]
    const reads = req.method === 'GET' || req.method === 'HEAD'
    if (path === '/health') return reads ? health() : [405, { error: 'method not allowed' }, { allow: 'GET, HEAD' }]
    const found = /^\/ratings(?:\/(.*))?$/.exec(path)
    if (!found) return [404, { error: 'not found' }]
    if (!/^-?\d+$/.test(found[1] ?? '')) return [400, { error: 'please provide numeric product ID' }]
    const id = Number(found[1])
    if (reads) return getRatings(id)
    if (req.method === 'POST') return postRatings(id, req)
    return [405, { error: 'method not allowed' }, { allow: 'GET, HEAD, POST' }]
  }

  const server = http.createServer(async (req, res) => {
    let result
    try {
      result = await answer(req)
    } catch {
      // Only reading the body can fail: the client went away, and nobody waits for an answer.
      return res.destroy()
    }
    send(res, ...result)
  })
  server.on('close', () => faults.stop())
  return server
}

/** The body as text; empty, so that it is no ratings JSON, when it is longer than any ratings are. */
async function readBody(req) {
  const chunks = []
  let size = 0
  for await (const chunk of req) {
    size += chunk.length
    if (size <= MAX_BYTES) chunks.push(chunk)
  }
  return size <= MAX_BYTES ? Buffer.concat(chunks).toString('utf8') : ''
}

function parseObject(text) {
  try {
    const value = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

function send(res, status, body, headers = {}) {
  const text = JSON.stringify(body)
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers })
  res.end(text)
}

function main() {
  const port = Number(process.argv[2] ?? 9080)
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    console.error('usage: node ratings.js PORT')
    process.exit(2)
  }
  const server = createServer()
  server.on('error', (error) => {
    console.error(`ratings: ${error.message}`)
    process.exit(1)
  })
  server.listen(port, process.env.HOST || '0.0.0.0', () => {
    const { address, family, port: bound } = server.address()
    const host = family === 'IPv6' ? `[${address}]` : address
    console.log(`ratings ${process.env.SERVICE_VERSION || 'v1'} ready on http://${host}:${bound}`)
  })
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.once(signal, () => {
      // Requests under way are answered; after that, connections that a sidecar keeps open must not hold the process.
      server.close()
      setTimeout(() => server.closeAllConnections(), 10_000).unref()
    })
  }
}

if (require.main === module) main()

module.exports = { createServer }
