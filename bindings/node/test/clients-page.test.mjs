// The programs of docs/node/clients.md, each in a process of its own.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import http2 from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { linesOf, listen, valuesOf } from './servers.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const page = readFileSync(new URL('../../../docs/node/clients.md', import.meta.url), 'utf8')
const PROGRAMS = [...page.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code)
const folder = mkdtempSync(join(tmpdir(), 'onward-clients-'))

before(() => {
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(root, join(folder, 'node_modules', 'onward'), 'junction')
  for (const name of ['axios', 'undici']) symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name), 'junction')
})
after(() => rmSync(folder, { recursive: true, force: true }))

/** What arrives when the program, with `after` below it, runs while a request is handled. */
async function visitsOf(t, code, after = '') {
  const visits = []
  const answer = (request, response) => {
    visits.push(linesOf(request))
    response.end('{}')
  }
  const port = await listen(t, code.includes('node:http2') ? http2.createServer(answer) : http.createServer(answer))
  const here = (text) => text.replaceAll('http://ratings:9080', `http://localhost:${port}`)
  writeFileSync(join(folder, 'program.mjs'), here(`${code}\n${after}`))
  writeFileSync(join(folder, 'main.mjs'), `
    import { run } from 'onward'
    await run({ 'x-request-id': 'a-1', 'cookie': 'session=secret', 'user-agent': 'Mozilla/5.0' }, () => import('./program.mjs'))
    process.exit()`)
  await promisify(execFile)(process.execPath, ['main.mjs'], { cwd: folder })
  return visits
}

// How many requests each program sends.
const SENT = [1, 2, 1, 1, 1, 1]
const SENDS = "await fetch('http://ratings:9080/ratings/0')"

test('every program of the page forwards', async (t) => {
  assert.equal(PROGRAMS.length, SENT.length)
  for (const [i, code] of PROGRAMS.entries()) {
    await t.test(`program ${i + 1}`, async (t) => {
      const visits = await visitsOf(t, code, code.includes('ratings:9080') ? '' : SENDS)
      assert.equal(visits.length, SENT[i])
      for (const lines of visits) {
        assert.deepEqual(valuesOf(lines, 'x-request-id'), ['a-1'])
        assert.deepEqual(valuesOf(lines, 'cookie'), ['session=secret'])
        assert.deepEqual(valuesOf(lines, 'user-agent'), [code.includes('ratings-job') ? 'ratings-job/1' : 'Mozilla/5.0'])
      }
    })
  }
})

test('without a line of Onward nothing is forwarded', async (t) => {
  const [lines] = await visitsOf(t, SENDS)
  assert.deepEqual(valuesOf(lines, 'x-request-id'), [])
})
