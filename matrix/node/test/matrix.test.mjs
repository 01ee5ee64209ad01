// Every cell passes, the table in the documentation says so, and a client that does something else is seen.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import { after, before, test } from 'node:test'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import * as onward from 'onward'

import { CHECKS, Cell, run } from '../cell.mjs'
import * as clients from '../clients/index.mjs'
import { Echo } from '../echo.mjs'
import * as servers from '../servers/index.mjs'
import * as table from '../table.mjs'

const DOCUMENT = new URL('../../../docs/matrix-node.md', import.meta.url)

let echo
let restore
before(async () => {
  restore = clients.resolveOutside()
  echo = await Echo.start()
})
after(async () => {
  restore()
  await echo.close()
})

const cells = []
for (const server of servers.ALL) {
  for (const client of clients.ALL) {
    test(`every check passes: ${server.name}, ${client.name}`, async () => {
      const cell = await run(server, client, echo)
      cells.push(cell)
      assert.deepEqual(cell.failures, [])
      assert.equal(cell.checks, 9)
    })
  }
}

test('the table in the documentation says so', () => {
  const every = servers.ALL.length * clients.ALL.length
  assert.deepEqual(table.summary(servers.ALL, clients.ALL, cells), { cells: every, passed: every, failed: 0, empty: 0 })
  const current = table.page(servers.ALL, clients.ALL, cells)
  assert.ok(current === readFileSync(DOCUMENT, 'utf8'), 'docs/matrix-node.md is out of date; run `cargo xtask matrix node`')
})

test('a cell that did not run is empty in the count and in the table', () => {
  const [row, columns] = [servers.ALL[0], [clients.ALL[0], raw(nothing)]]
  const failed = new Cell(row, columns[0])
  failed.checks = CHECKS.length
  failed.failures.push('propagate, in the mesh: no request arrived')
  assert.deepEqual(table.summary([row], columns, [failed]), { cells: 2, passed: 0, failed: 1, empty: 1 })
  assert.match(table.page([row], columns, [failed]), /\n\| \*\*node:http\*\* \| ✗ \|  \|\n/)
})

/** Sends whatever headers it is told to, and takes all of them along on redirects. */
function raw(headersFor) {
  async function get(url, headers) {
    const [response] = await once(http.get(url, { headers, agent: false }), 'response')
    const body = await text(response)
    return response.statusCode === 302 ? get(response.headers.location, headers) : body
  }
  return { name: 'raw', call: (url) => get(url, headersFor(url, clients.callerHeaders(url))) }
}

function nothing(_url, headers) {
  return headers
}

function everything(_url, headers) {
  return { ...headers, ...onward.current().toObject() }
}

function chosenOnce(url, headers) {
  return onward.current().inject(headers, url)
}

const SEEN = [
  [
    nothing,
    [
      'propagate, in the mesh',
      'propagate, outside',
      'propagate, redirected outside',
      'propagate, the caller wins',
      'middleware, in the mesh',
      'middleware, outside',
      'middleware, redirected outside'
    ]
  ],
  [
    everything,
    [
      'propagate, outside',
      'propagate, redirected outside',
      'propagate, the caller wins',
      'propagate, a signed URL',
      'middleware, outside',
      'middleware, redirected outside'
    ]
  ],
  [chosenOnce, ['propagate, redirected outside', 'middleware, redirected outside']]
]
for (const [headersFor, seen] of SEEN) {
  test(`a client that forwards something else is seen: ${headersFor.name}`, async () => {
    const cell = await run(servers.ALL[0], raw(headersFor), echo)
    assert.deepEqual(cell.failures.map((failure) => failure.split(':')[0]), seen)
  })
}
