'use strict'

const assert = require('node:assert/strict')
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')
const test = require('node:test')
const { createServer } = require('../details')

const BUILT_IN =
  '{"id":0,"author":"William Shakespeare","year":1595,"type":"paperback","pages":200,"publisher":"PublisherA",' +
  '"language":"English","ISBN-10":"1234567890","ISBN-13":"123-1234567890"}'

async function listen(t, env = {}) {
  const server = createServer(env)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return `http://127.0.0.1:${server.address().port}`
}

async function get(url, init) {
  const response = await fetch(url, init)
  return [response.status, await response.text()]
}

test('any integer id has the built-in details, fields in order', async (t) => {
  const base = await listen(t)
  assert.deepEqual(await get(`${base}/details/0`), [200, BUILT_IN])
  assert.deepEqual(await get(`${base}/details/12?x=1`), [200, BUILT_IN.replace('"id":0', '"id":12')])
})

test('answers are JSON', async (t) => {
  const response = await fetch(`${await listen(t)}/details/0`)
  assert.equal(response.headers.get('content-type'), 'application/json')
  await response.body.cancel()
})

test('an id that is no integer is a 400', async (t) => {
  const base = await listen(t)
  for (const id of ['abc', '1x', '1.5', '']) {
    assert.deepEqual(await get(`${base}/details/${id}`), [400, '{"error":"please provide numeric product id"}'], id)
  }
})

test('the service is healthy', async (t) => {
  assert.deepEqual(await get(`${await listen(t)}/health`), [200, '{"status":"Details is healthy"}'])
})

test('other paths and methods are refused', async (t) => {
  const base = await listen(t)
  assert.equal((await get(`${base}/`))[0], 404)
  assert.equal((await get(`${base}/detailsandmore/1`))[0], 404)
  assert.equal((await get(`${base}/details/0`, { method: 'POST' }))[0], 405)
})

/** The program in each of its forms: alone, without a change to it, and by hand. */
const PROGRAMS = ['details.js', '--import onward/register details.js', 'explicit.js']

function start(program, port, options) {
  return spawn(process.execPath, [...program.split(' '), port], { cwd: path.join(__dirname, '..'), ...options })
}

for (const program of PROGRAMS) {
  test(`${program} says where it is ready, on HOST, and SIGTERM ends it with status 0`, async () => {
    const child = start(program, '0', {
      env: { ...process.env, HOST: '127.0.0.1', SERVICE_VERSION: 'v1' },
      stdio: ['ignore', 'pipe', 'inherit']
    })
    const [line] = await once(child.stdout.setEncoding('utf8'), 'data')
    const url = /^details v1 ready on (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(line)?.[1]
    assert.ok(url, line)
    // fetch keeps its connection open: that must not hold the program back.
    assert.equal((await get(`${url}/health`))[0], 200)
    child.kill('SIGTERM')
    assert.deepEqual(await once(child, 'exit'), [0, null])
  })

  test(`${program}: a port that is none is a usage error`, async () => {
    assert.deepEqual(await once(start(program, 'x', { stdio: 'ignore' }), 'exit'), [2, null])
  })
}

for (const [program, status, line] of [
  ['explicit.js', 1, /^details: .*`host`.*\n$/],
  ['--import onward/register details.js', 2, /^onward: .*`host`.*\n$/]
]) {
  test(`${program}: a mistake in the policy stops it at start`, async () => {
    const child = start(program, '0', {
      env: { ...process.env, HOST: '127.0.0.1', ONWARD_HEADERS: '+host' },
      stdio: ['ignore', 'inherit', 'pipe']
    })
    let text = ''
    child.stderr.setEncoding('utf8').on('data', (chunk) => (text += chunk))
    assert.deepEqual(await once(child, 'close'), [status, null])
    assert.match(text, line)
  })
}
