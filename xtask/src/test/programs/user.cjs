// What a user's first program does, and the JavaScript lines of the README, but for the address that they call.

const assert = require('node:assert/strict')
const { readFileSync } = require('node:fs')
const http = require('node:http')
const vm = require('node:vm')
const { getForwardHeaders, OnwardError, Propagator } = require('onward')

const inbound = { 'X-Request-Id': '7f6c', accept: '*/*', cookie: 'user=jane' }
assert.deepEqual({ ...getForwardHeaders(inbound) }, { 'x-request-id': '7f6c', cookie: 'user=jane' })
assert.deepEqual({ ...getForwardHeaders(inbound, 'https://api.example.com/') }, { 'x-request-id': '7f6c' })
assert.throws(() => Propagator.fromEnv({ ONWARD_HEADERS: '+host' }), (error) => {
  return error instanceof OnwardError && error.code === 'refused_header' && error.token === 'host'
})

const listen = (server) => new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)))

async function readme() {
  const block = /```js\n(.*?)```/s.exec(readFileSync(process.argv[2], 'utf8'))?.[1]
  assert(block?.includes('http://ratings:9080'), "the README's JavaScript calls no http://ratings:9080")
  const ratings = http.createServer((req, res) => res.end(req.headers.cookie ?? 'nobody'))
  const address = `http://127.0.0.1:${await listen(ratings)}`
  Object.assign(globalThis, { require, http })
  const server = vm.runInThisContext(block.replaceAll('http://ratings:9080', address))
  try {
    // The client is no part of the mesh: what it sends is what it says.
    const answer = await fetch(`http://127.0.0.1:${await listen(server)}`, { headers: inbound })
    assert.equal(await answer.text(), 'user=jane', "the README's lines forwarded no cookie")
  } finally {
    require('onward').uninstrument()
    for (const each of [server, ratings]) {
      each.closeAllConnections()
      each.close()
    }
  }
}

readme().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
