'use strict'

const assert = require('node:assert/strict')
const { spawn } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')
const test = require('node:test')
const { createServer } = require('../ratings')
const { createFaults } = require('../faults')

async function listen(t, env = {}, faults = createFaults(env.SERVICE_VERSION)) {
  const server = createServer(env, faults)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return `http://127.0.0.1:${server.address().port}`
}

async function get(url, init) {
  const response = await fetch(url, init)
  return [response.status, await response.text()]
}

const post = (body) => ({ method: 'POST', body })

test('any integer id has the default ratings', async (t) => {
  const base = await listen(t)
  assert.deepEqual(await get(`${base}/ratings/0`), [200, '{"id":0,"ratings":{"Reviewer1":5,"Reviewer2":4}}'])
  assert.deepEqual(await get(`${base}/ratings/42?x=1`), [200, '{"id":42,"ratings":{"Reviewer1":5,"Reviewer2":4}}'])
})

test('answers are JSON', async (t) => {
  const response = await fetch(`${await listen(t)}/ratings/0`)
  assert.equal(response.headers.get('content-type'), 'application/json')
  await response.body.cancel()
})

test('an id that is no number is a 400', async (t) => {
  const base = await listen(t)
  for (const id of ['abc', '1x', '', '1/2']) {
    assert.deepEqual(await get(`${base}/ratings/${id}`), [400, '{"error":"please provide numeric product ID"}'], id)
  }
})

test('posted ratings replace those of one product only', async (t) => {
  const base = await listen(t)
  assert.deepEqual(await get(`${base}/ratings/7`, post('{"Reviewer1":1}')), [200, '{"id":7,"ratings":{"Reviewer1":1}}'])
  assert.deepEqual(await get(`${base}/ratings/7`), [200, '{"id":7,"ratings":{"Reviewer1":1}}'])
  assert.deepEqual(await get(`${base}/ratings/8`), [200, '{"id":8,"ratings":{"Reviewer1":5,"Reviewer2":4}}'])
})

test('a body that is no ratings JSON is a 400 and changes nothing', async (t) => {
  const base = await listen(t)
  for (const body of ['{', '', '5', '[1]', 'null', `{"a":"${'x'.repeat(70_000)}"}`]) {
    assert.deepEqual(
      await get(`${base}/ratings/0`, post(body)),
      [400, '{"error":"please provide valid ratings JSON"}'],
      body.slice(0, 10)
    )
  }
  assert.deepEqual(await get(`${base}/ratings/0`), [200, '{"id":0,"ratings":{"Reviewer1":5,"Reviewer2":4}}'])
})

test('other paths and methods are refused', async (t) => {
  const base = await listen(t)
  assert.equal((await get(`${base}/`))[0], 404)
  assert.equal((await get(`${base}/ratingsandmore/1`))[0], 404)
  assert.equal((await get(`${base}/ratings/0`, { method: 'DELETE' }))[0], 405)
})

test('v1 is healthy', async (t) => {
  assert.deepEqual(await get(`${await listen(t)}/health`), [200, '{"status":"Ratings is healthy"}'])
})

test('v2 answers as one that has no database', async (t) => {
  const base = await listen(t, { SERVICE_VERSION: 'v2' })
  assert.deepEqual(await get(`${base}/ratings/0`), [500, '{"error":"could not connect to ratings database"}'])
  assert.deepEqual(await get(`${base}/ratings/0`, post('{"Reviewer1":1}')), [
    501,
    '{"error":"Post not implemented for database backed ratings"}'
  ])
})

test('v-faulty refuses the lower half of the draws', async (t) => {
  const draws = [0.49, 0.5]
  const base = await listen(
    t,
    { SERVICE_VERSION: 'v-faulty' },
    createFaults('v-faulty', () => draws.shift())
  )
  assert.deepEqual(await get(`${base}/ratings/0`), [503, '{"error":"Service unavailable"}'])
  assert.equal((await get(`${base}/ratings/0`))[0], 200)
})

test('v-delayed delays the lower half of the draws by seven seconds', () => {
  const draws = [0.49, 0.5]
  const faults = createFaults('v-delayed', () => draws.shift())
  assert.deepEqual(faults.next(), { unavailable: false, delayMs: 7000 })
  assert.deepEqual(faults.next(), { unavailable: false, delayMs: 0 })
})

test('v-unavailable goes away for every second minute, and stays healthy', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const faults = createFaults('v-unavailable')
  t.after(() => faults.stop())
  assert.equal(faults.next().unavailable, false)
  t.mock.timers.tick(60_000)
  assert.equal(faults.next().unavailable, true)
  assert.equal(faults.healthy(), true)
  t.mock.timers.tick(60_000)
  assert.equal(faults.next().unavailable, false)
})

test('v-unhealthy is unhealthy and gone for every second quarter of an hour', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const base = await listen(t, { SERVICE_VERSION: 'v-unhealthy' })
  assert.deepEqual(await get(`${base}/health`), [200, '{"status":"Ratings is healthy"}'])
  t.mock.timers.tick(15 * 60_000)
  assert.deepEqual(await get(`${base}/health`), [500, '{"status":"Ratings is not healthy"}'])
  assert.deepEqual(await get(`${base}/ratings/0`), [503, '{"error":"Service unavailable"}'])
})

for (const program of ['ratings.js', '--import onward/register ratings.js']) {
  test(`${program} says where it is ready, on HOST, and SIGTERM ends it with status 0`, async () => {
    const child = spawn(process.execPath, [...program.split(' '), '0'], {
      cwd: path.join(__dirname, '..'),
      env: { ...process.env, HOST: '127.0.0.1', SERVICE_VERSION: 'v1' },
      stdio: ['ignore', 'pipe', 'inherit']
    })
    const [line] = await once(child.stdout.setEncoding('utf8'), 'data')
    const url = /^ratings v1 ready on (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(line)?.[1]
    assert.ok(url, line)
    // fetch keeps its connection open: that must not hold the program back.
    assert.equal((await get(`${url}/health`))[0], 200)
    child.kill('SIGTERM')
    assert.deepEqual(await once(child, 'exit'), [0, null])
  })
}

test('a port that is none is a usage error', async () => {
  const child = spawn(process.execPath, [path.join(__dirname, '..', 'ratings.js'), 'x'], { stdio: 'ignore' })
  assert.deepEqual(await once(child, 'exit'), [2, null])
})
