// One framework with one client: the checks, and what came out.

import * as onward from 'onward'

import { ask } from './ask.mjs'
import { OUTSIDE } from './clients/index.mjs'
import { Expected, joined, relevant, without } from './inbound.mjs'

/** What is checked in a cell: a request to `route`, which calls the URL, and what may arrive there. */
export const CHECKS = [
  ['propagate, in the mesh', '/attribute', (visit) => visit.url(), Expected.ALL],
  ['propagate, outside', '/attribute', (visit) => visit.url(OUTSIDE), Expected.TRACE],
  ['propagate, redirected outside', '/attribute', (visit) => visit.redirect(), Expected.TRACE],
  ['propagate, the caller wins', '/attribute', (visit) => `${visit.url()}?caller=wins`, Expected.CALLERS_OWN],
  ['propagate, a signed URL', '/attribute', (visit) => `${visit.url()}?X-Amz-Signature=0123`, Expected.BARE],
  ['middleware, in the mesh', '/middleware', (visit) => visit.url(), Expected.ALL],
  ['middleware, outside', '/middleware', (visit) => visit.url(OUTSIDE), Expected.TRACE],
  ['middleware, redirected outside', '/middleware', (visit) => visit.redirect(), Expected.TRACE],
  ['neither of them', '/bare', (visit) => visit.url(), Expected.BARE]
].map(([name, route, url, expected]) => ({ name, route, url, expected }))

/** What came out: how many checks ran, and what was wrong, one sentence a check. */
export class Cell {
  checks = 0
  failures = []

  constructor(server, client) {
    this.server = server.name
    this.client = client.name
  }

  /** Whether every check ran and none failed. */
  get passed() {
    return this.checks === CHECKS.length && this.failures.length === 0
  }
}

/**
 * Runs all checks of one cell.
 *
 * @param {import('./servers/server.mjs').Server} server
 * @param {import('./clients/client.mjs').Client} client
 * @param {import('./echo.mjs').Echo} echo
 */
export async function run(server, client, echo) {
  const cell = new Cell(server, client)
  try {
    await instrumented(client, () => running(server, client, async ({ port }) => {
      for (const check of CHECKS) {
        cell.checks += 1
        const problem = await one(check, server, client, port, echo)
        if (problem !== undefined) cell.failures.push(`${check.name}: ${problem}`)
      }
    }))
  } catch (error) {
    cell.failures.push(`it does not start and stop: ${reason(error)}`)
  }
  return cell
}

async function instrumented(client, work) {
  if (!client.instrumented) return work()
  onward.instrument()
  try {
    return await work()
  } finally {
    onward.uninstrument()
  }
}

async function running(server, client, work) {
  const started = await server.start(client.call)
  try {
    return await work(started)
  } finally {
    await started.close()
  }
}

/** Says what is wrong. */
async function one(check, server, client, port, echo) {
  const visit = echo.visit()
  const url = check.url(visit)
  const stops = url === visit.redirect() && client.follows === false
  const expected = stops ? Expected.NO_REQUEST : check.expected
  let text
  try {
    text = await ask(server.speaks, port, check.route, url)
  } catch (error) {
    return `asking: ${reason(error)}`
  }
  if (!stops && text !== visit.answer()) return `the server answers ${JSON.stringify(text)}`
  const lines = echo.arrived(visit)
  if (lines === undefined) return expected === undefined ? undefined : 'no request arrived'
  if (expected === undefined) return 'a request arrived'
  const lacks = [...(server.lacks ?? []), ...(client.lacks ?? [])]
  return difference(joined(without(expected, lacks)), joined(relevant(lines, client.pads)))
}

/** An error in one line. */
function reason(error) {
  return error?.cause === undefined ? String(error) : `${error} (${error.cause})`
}

function difference(expected, arrived) {
  const only = (what, some, others) =>
    [...some].filter(([name, value]) => others.get(name) !== value).map(([name, value]) => `${what}: ${name}: ${JSON.stringify(value)}`)
  const found = [...only('missing', expected, arrived), ...only('too much', arrived, expected)]
  return found.length === 0 ? undefined : found.join('; ')
}
