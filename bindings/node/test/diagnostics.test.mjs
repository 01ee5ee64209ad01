// Calls without a scope, by every client: what counts, and what is told about it.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import http from 'node:http'
import http2 from 'node:http2'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import test, { after, before } from 'node:test'

import { carry, diagnostics, instrument, propagate, run, uninstrument } from '../index.mjs'
import { CLIENTS, UNDICI } from './clients.mjs'
import { ECHO, connect, intercepted, serve, unary } from './grpc_servers.mjs'
import { echo, linesOf, listen, proxy, valuesOf } from './servers.mjs'

const { callsWithoutScope, onCallWithoutScope } = diagnostics
const SENT = { 'x-request-id': '7' }
// They wait before they call, and whoever calls them is no longer on the stack.
const WAITING = new Set(['got', 'superagent'])

before(() => instrument())
after(() => uninstrument())

/** Jobs of a timer that was set at start, as programs batch what they send. */
const jobs = []
const timer = setInterval(function workOff() {
  jobs.shift()?.()
}, 5)
after(() => clearInterval(timer))

/** What is told of calls until the test `t` ends: where they go, and the stack. */
function told(t) {
  const calls = []
  onCallWithoutScope((destination) => calls.push([destination, new Error('a call').stack]))
  t.after(() => onCallWithoutScope(null))
  return calls
}

/** How many calls without a scope `work` makes. */
async function counted(work) {
  const earlier = callsWithoutScope()
  await work()
  return callsWithoutScope() - earlier
}

/** A service that redirects from `/old`. */
function service(t, { speaks }) {
  const answer = (request, response) => {
    request.resume()
    if (request.url === '/old') response.writeHead(302, { location: '/new' }).end()
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(linesOf(request)))
  }
  const server = speaks === 'http2' ? http2.createServer() : http.createServer()
  return listen(t, server.on('request', answer))
}

test('before the process has served a request, nothing counts', async (t) => {
  const calls = told(t)
  for (const client of Object.values(CLIENTS)) await client.send(`http://127.0.0.1:${await service(t, client)}/`)
  const target = `127.0.0.1:${await serve(t, ECHO)}`
  for (const client of [connect(t, target), intercepted(t, target)]) await unary(client)
  assert.equal(callsWithoutScope(), 0)
  assert.deepEqual(calls, [])
  // From here on it serves.
  run(SENT, () => {})
})

for (const [name, client] of Object.entries(CLIENTS)) {
  test(`${name}: a call outside of any scope counts once, and is told of in its place`, async (t) => {
    const calls = told(t)
    const url = `http://127.0.0.1:${await service(t, client)}`
    async function caller() {
      assert.deepEqual(valuesOf(await client.send(`${url}/ratings/0?secret=1`), 'x-request-id'), [])
    }
    assert.equal(await counted(caller), 1)
    assert.deepEqual(calls.map(([destination]) => destination), [`${url}/ratings/0`])
    if (!WAITING.has(name)) assert.match(calls[0][1], /at caller .*diagnostics\.test\.mjs/)
  })

  test(`${name}: a call in a scope does not count`, async (t) => {
    const calls = told(t)
    const url = `http://127.0.0.1:${await service(t, client)}/`
    const call = async () => assert.deepEqual(valuesOf(await client.send(url), 'x-request-id'), ['7'])
    assert.equal(await counted(() => run(SENT, call)), 0)
    // Nor in one without headers: there is no trace to lose.
    assert.equal(await counted(() => run({}, () => client.send(url))), 0)
    assert.deepEqual(calls, [])
  })

  if (client.follows) {
    test(`${name}: each hop of a redirect counts`, async (t) => {
      const calls = told(t)
      const url = `http://127.0.0.1:${await service(t, client)}`
      assert.equal(await counted(() => client.send(`${url}/old`)), 2)
      assert.deepEqual(calls.map(([destination]) => destination), [`${url}/old`, `${url}/new`])
    })
  }
}

test('gRPC: a call outside of any scope counts once, and is told of in its place', async (t) => {
  const calls = told(t)
  const target = `127.0.0.1:${await serve(t, ECHO)}`
  for (const client of [connect(t, target), intercepted(t, target)]) {
    const caller = () => unary(client)
    assert.equal(await counted(caller), 1)
    assert.equal(await counted(() => run(SENT, () => unary(client))), 0)
    const [[destination, stack]] = calls.splice(0)
    assert.equal(destination, `${target}/onward.Relay/unary`)
    assert.match(stack, /at caller .*diagnostics\.test\.mjs/)
  }
})

test('what forwards without being instrumented counts too', async (t) => {
  uninstrument()
  t.after(() => instrument())
  const target = `127.0.0.1:${await serve(t, ECHO)}`
  const url = `http://127.0.0.1:${await service(t, {})}/`
  assert.equal(await counted(() => unary(intercepted(t, target))), 1)
  for (const [name, { send, explicit }] of Object.entries(CLIENTS)) {
    if (explicit) assert.equal(await counted(() => send(url)), 1, name)
  }
  // Negative control.
  assert.equal(await counted(() => fetch(url)), 0)
  assert.equal(await counted(() => unary(connect(t, target))), 0)
})

for (const [name, { Agent, Client, Pool, ProxyAgent, RetryAgent }] of Object.entries(UNDICI)) {
  const ask = async (caller, options) => (await caller.request({ method: 'GET', ...options })).body.dump()

  test(`${name}: what waits in a pool counts once, and of one origin the dispatcher alone knows it`, async (t) => {
    const calls = told(t)
    const origin = `http://127.0.0.1:${await service(t, {})}`
    for (const dispatcher of [new Pool(origin, { connections: 1 }), new Client(origin)]) {
      t.after(() => dispatcher.destroy())
      assert.equal(await counted(() => Promise.all(['/a', '/b', '/c'].map((path) => ask(dispatcher, { path })))), 3)
    }
    const each = ['/a', '/b', '/c'].map((path) => origin + path)
    assert.deepEqual(calls.map(([destination]) => destination), [...each, ...each])
  })

  test(`${name}: a retry is a call, and a tunnel through a proxy is none`, async (t) => {
    let visits = 0
    const port = await listen(t, http.createServer((_, response) => response.writeHead((visits += 1) === 1 ? 503 : 200).end()))
    const origin = `http://127.0.0.1:${port}`
    const { asked, uri } = await proxy(t)
    const dispatchers = [new RetryAgent(new Agent(), { minTimeout: 1 }), new ProxyAgent({ uri, proxyTunnel: true })]
    t.after(() => dispatchers.forEach((dispatcher) => dispatcher.destroy()))
    assert.equal(await counted(() => ask(dispatchers[0], { origin, path: '/' })), 2)
    const calls = told(t)
    assert.equal(await counted(() => ask(dispatchers[1], { origin, path: '/' })), 1)
    assert.deepEqual(calls.map(([destination]) => destination), [`${origin}/`])
    assert.deepEqual(asked.map(([method]) => method), ['CONNECT'])
  })

  test(`${name}: what undici refuses is no call`, async (t) => {
    const agent = new Agent()
    t.after(() => agent.destroy())
    for (const path of ['no slash', undefined]) {
      assert.equal(await counted(() => assert.rejects(ask(agent, { origin: 'http://127.0.0.1:9', path }))), 0)
    }
  })
}

test('node:http: through a proxy it is the target that is told, and a tunnel is no call', async (t) => {
  const calls = told(t)
  const { asked, uri } = await proxy(t)
  const target = `127.0.0.1:${await listen(t, echo())}`
  const { hostname: host, port } = new URL(uri)
  const plain = async () => (await once(http.get({ host, port, path: `http://user:secret@${target}/a?secret=1` }), 'response'))[0].resume()
  const tunnel = () => once(http.request({ host, port, method: 'CONNECT', path: target }).end(), 'connect')
  assert.equal(await counted(plain), 1)
  assert.equal(await counted(tunnel), 0)
  assert.deepEqual(calls.map(([destination]) => destination), [`http://${target}/a`])
  assert.deepEqual(asked.map(([method]) => method), ['GET', 'CONNECT'])
})

test('node:http: what is told of a call has its port, in whichever form the headers are set', async (t) => {
  const calls = told(t)
  const host = `127.0.0.1:${await listen(t, echo())}`
  for (const headers of [{ host }, ['Host', host], [['host', host]]]) {
    (await once(http.get(`http://${host}/a`, { headers }), 'response'))[0].resume()
  }
  assert.deepEqual(calls.map(([destination]) => destination), Array(3).fill(`http://${host}/a`))
})

test('what is refused before it is sent is no call', async () => {
  assert.equal(await counted(() => assert.rejects(fetch('not a URL'))), 0)
  assert.equal(await counted(() => assert.throws(() => http.request({ path: 'a b' }))), 0)
  assert.equal(await counted(async () => (await fetch('data:,')).text()), 0)
})

test('a job that a request leaves to a timer set at start counts, and one that is carried does not', async (t) => {
  const calls = told(t)
  const ratings = `http://127.0.0.1:${await listen(t, echo())}/ratings`
  const port = await listen(t, http.createServer(propagate((request, response) => {
    const job = async () => response.end(await (await fetch(ratings)).text())
    jobs.push(request.url === '/carried' ? carry(job) : job)
  })))
  // A request from outside is none of this service's calls.
  const ask = (path) => run({}, async () => (await fetch(`http://127.0.0.1:${port}${path}`, { headers: SENT })).json())
  let lines
  assert.equal(await counted(async () => (lines = await ask('/carried'))), 0)
  assert.deepEqual(valuesOf(lines, 'x-request-id'), ['7'])
  assert.equal(await counted(async () => (lines = await ask('/lost'))), 1)
  assert.deepEqual(valuesOf(lines, 'x-request-id'), [])
  const [[destination, stack]] = calls
  assert.equal(destination, ratings)
  assert.match(stack, /at job .*diagnostics\.test\.mjs[^]*at .*workOff/)
})

test('what the callback does wrong is a warning, and the call goes on', async (t) => {
  const warnings = []
  const note = (warning) => warnings.push(warning.message)
  process.on('warning', note)
  t.after(() => process.off('warning', note))
  t.after(() => onCallWithoutScope(null))
  const url = `http://127.0.0.1:${await listen(t, echo())}/`
  const mistakes = {
    'thrown': () => { throw new Error('thrown') },
    'undefined': () => { throw undefined },
    'rejected': async () => { throw new Error('rejected') },
    "{ code: 'none' }": () => Promise.reject({ code: 'none' })
  }
  for (const callback of Object.values(mistakes)) {
    onCallWithoutScope(callback)
    assert.equal((await fetch(url)).status, 200)
  }
  assert.deepEqual(warnings, Object.keys(mistakes))
})

test('what the callback sends itself, at once or later, does not count, and its trace is as long as it has to be', async (t) => {
  const url = `http://127.0.0.1:${await listen(t, echo())}/`
  const limit = Error.stackTraceLimit
  let told = 0
  let report
  const later = async () => {
    await fetch(url)
    return fetch(url)
  }
  t.after(() => onCallWithoutScope(null))
  onCallWithoutScope(() => {
    // One that counted would be reported too, and so on.
    if ((told += 1) === 1) report = later()
    assert.equal(Error.stackTraceLimit, Infinity)
  })
  assert.equal(await counted(async () => {
    await fetch(url)
    assert.equal((await report).status, 200)
  }), 1)
  assert.equal(Error.stackTraceLimit, limit)
})

test('another callback takes the place of the first, and what is none is refused', async (t) => {
  const url = `http://127.0.0.1:${await listen(t, echo())}/`
  const seen = []
  for (const name of ['first', 'second']) onCallWithoutScope(() => seen.push(name))
  await fetch(url)
  onCallWithoutScope(null)
  assert.equal(await counted(() => fetch(url)), 1)
  assert.deepEqual(seen, ['second'])
  for (const none of ['callback', undefined]) {
    assert.throws(() => onCallWithoutScope(none), { name: 'OnwardError', code: 'invalid_argument', token: typeof none })
  }
})

// The same under `onward/register`, in a program of its own.
const PROGRAM = `
import http from 'node:http'
import { diagnostics } from '${new URL('../index.mjs', import.meta.url)}'
const jobs = []
const ratings = http.createServer((request, response) => response.end(request.headers['x-request-id'] ?? 'none'))
const call = async () => (await fetch(\`http://127.0.0.1:\${ratings.address().port}/\`)).text()
const reviews = http.createServer(async (request, response) => {
  if (request.url === '/lost') jobs.push(async () => response.end(await call()))
  else response.end(await call())
})
await Promise.all([ratings, reviews].map((server) => new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))))
setInterval(() => jobs.shift()?.(), 5).unref()
diagnostics.onCallWithoutScope((destination) => console.log('told', new URL(destination).port === String(ratings.address().port)))
const ask = (path) => new Promise((resolve) => {
  const request = \`GET \${path} HTTP/1.1\\r\\nhost: reviews\\r\\nx-request-id: 7\\r\\nconnection: close\\r\\n\\r\\n\`
  let answer = ''
  net.connect(reviews.address().port, '127.0.0.1').on('data', (piece) => (answer += piece)).on('end', () => resolve(answer.split('\\r\\n\\r\\n')[1])).write(request)
})
console.log(await call(), diagnostics.callsWithoutScope())
console.log(await ask('/'), diagnostics.callsWithoutScope())
console.log(await ask('/lost'), diagnostics.callsWithoutScope())
process.exit()
`

test('a program under onward/register is told of its calls', async (t) => {
  const args = ['--import', new URL('../register.js', import.meta.url).href, '--input-type=module', '-e', `import net from 'node:net'\n${PROGRAM}`]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill())
  const [output] = await Promise.all([text(child.stdout), once(child, 'close')])
  assert.deepEqual(output.split('\n'), ['none 0', '7 0', 'told true', 'none 1', ''])
})
