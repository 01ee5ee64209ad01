'use strict'

// Bookinfo's details service: `node details.js PORT`.
//
//   GET /health         {"status":"Details is healthy"}
//   GET /details/<int>  the book's details; anything but an integer is a 400

const http = require('node:http')
const path = require('node:path')
const { fetchVolume, volumesUrl } = require('./books')

const NOT_NUMERIC = 'please provide numeric product id'

/** The details that Bookinfo has for every product when it does not ask the external book service. */
function builtInDetails(id) {
  return {
    id,
    author: 'William Shakespeare',
    year: 1595,
    type: 'paperback',
    pages: 200,
    publisher: 'PublisherA',
    language: 'English',
    'ISBN-10': '1234567890',
    'ISBN-13': '123-1234567890'
  }
}

async function answer(env, req, forwarded) {
  const path = req.url.split('?', 1)[0]
  if (path === '/health') return [200, { status: 'Details is healthy' }]
  const found = /^\/details(?:\/(.*))?$/.exec(path)
  if (!found) return [404, { error: 'not found' }]
  if (!/^-?\d+$/.test(found[1] ?? '')) return [400, { error: NOT_NUMERIC }]
  const id = Number(found[1])
  if (env.ENABLE_EXTERNAL_BOOK_SERVICE !== 'true') return [200, builtInDetails(id)]
  const url = volumesUrl(env)
  const volume = await fetchVolume(url, forwarded(req, url))
  return volume ? [200, { id, ...volume }] : [502, { error: 'the external book service is currently unavailable' }]
}

/**
 * The service, not yet listening.
 *
 * @param {Record<string, string | undefined>} env the environment variables that it honours (see the README)
 * @param {(req: http.IncomingMessage, url: URL) => Record<string, string>} forwarded the headers of a request that go along
 *   to a URL
 * @returns {http.Server}
 */
function createServer(env = process.env, forwarded = () => ({})) {
  return http.createServer(async (req, res) => {
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      return send(res, 405, { error: 'method not allowed' }, { allow: 'GET, HEAD' })
    }
    try {
      send(res, ...(await answer(env, req, forwarded)))
    } catch (error) {
      console.error('details:', error)
      send(res, 500, { error: 'internal error' })
    }
  })
}

function send(res, status, body, headers = {}) {
  const text = JSON.stringify(body)
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers })
  res.end(text)
}

/** Serves until SIGTERM or Ctrl-C. */
function main(create) {
  const port = Number(process.argv[2] ?? 9080)
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    console.error(`usage: node ${path.basename(process.argv[1])} PORT`)
    process.exit(2)
  }
  const server = create()
  server.on('error', (error) => {
    console.error(`details: ${error.message}`)
    process.exit(1)
  })
  server.listen(port, process.env.HOST || '0.0.0.0', () => {
    const { address, family, port: bound } = server.address()
    const host = family === 'IPv6' ? `[${address}]` : address
    console.log(`details ${process.env.SERVICE_VERSION || 'v1'} ready on http://${host}:${bound}`)
  })
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.once(signal, () => {
      // Requests under way are answered; after that, connections that a sidecar keeps open must not hold the process.
      server.close()
      setTimeout(() => server.closeAllConnections(), 10_000).unref()
    })
  }
}

if (require.main === module) main(createServer)

module.exports = { createServer, main }
