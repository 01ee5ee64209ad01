'use strict'

// details that forwards by hand: `node explicit.js PORT`.

const { defaultPropagator, getForwardHeaders } = require('onward')
const details = require('./details')

/** The service of `details.js`, whose call carries the headers of the request that it is made for. */
function createServer(env = process.env) {
  // The demo's control runs without forwarding.
  if (env.ONWARD_DEMO_FORWARDING === 'off') return details.createServer(env)
  // The destination makes Onward hold back cookies and the like: the book service is outside the mesh.
  return details.createServer(env, (req, url) => getForwardHeaders(req, url))
}

function main() {
  try {
    // A mistake in ONWARD_* stops the service here, and not its first request.
    defaultPropagator()
  } catch (error) {
    console.error(`details: ${error.message}`)
    process.exit(1)
  }
  details.main(createServer)
}

if (require.main === module) main()

module.exports = { createServer }
