// Every framework without a line of Onward, its servers instrumented: as under `node --import onward/register`.

import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import * as onward from 'onward'

import { ask } from '../ask.mjs'
import { Echo } from '../echo.mjs'
import { Expected, joined, relevant, without } from '../inbound.mjs'
import { ALL } from '../servers/index.mjs'

const NOTHING = new Map()

let echo

before(async () => {
  echo = await Echo.start()
})
after(() => echo.close())

const call = async (url) => (await fetch(url)).text()

/** What arrives of a request to each of the server's routes, which are covered in code, or not at all. */
async function arrived(t, server, routes) {
  const running = await server.start(call)
  t.after(() => running.close())
  const found = []
  for (const route of routes) {
    const visit = echo.visit()
    assert.equal(await ask(server.speaks, running.port, route, visit.url()), visit.answer())
    found.push(joined(relevant(echo.arrived(visit))))
  }
  return found
}

for (const server of ALL) {
  const everything = joined(Expected.ALL)
  // What a library's own metadata do not take, Node's request has all the same.
  const taken = joined(without(Expected.ALL, server.lacks ?? []))

  test(`${server.name}: everything is forwarded without a line, and once beside one`, async (t) => {
    onward.instrument({ servers: true })
    t.after(onward.uninstrument)
    assert.deepEqual(await arrived(t, server, ['/bare', '/attribute', '/middleware']), [everything, taken, taken])
  })

  test(`${server.name}: with the clients alone nothing is`, async (t) => {
    onward.instrument()
    t.after(onward.uninstrument)
    assert.deepEqual(await arrived(t, server, ['/bare']), [NOTHING])
  })
}
