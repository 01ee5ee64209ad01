// The programs of docs/node/opentelemetry.md run, and call on with the client's span as the parent.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'

import { echo, freePort, listen } from './servers.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const page = readFileSync(new URL('../../../docs/node/opentelemetry.md', import.meta.url), 'utf8')
const [TRACING, APP, PROPAGATOR] = [...page.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code)
const [BESIDE, ALONE] = [...page.matchAll(/```sh\nnode (.*)\n```/g)].map(([, line]) => line.split(' '))

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const INBOUND = {
  'x-request-id': 'a-1',
  'traceparent': `00-${TRACE}-00f067aa0ba902b7-01`,
  'b3': `${TRACE}-00f067aa0ba902b7-1`,
  'cookie': 'session=secret'
}

/** A folder with these files, and with the packages of this one. */
function folder(t, files) {
  const made = mkdtempSync(join(tmpdir(), 'onward-opentelemetry-'))
  t.after(() => rmSync(made, { recursive: true, force: true }))
  mkdirSync(join(made, 'node_modules'))
  symlinkSync(root, join(made, 'node_modules', 'onward'), 'junction')
  for (const name of ['@opentelemetry', '@types', 'express', 'undici-types']) {
    symlinkSync(join(root, 'node_modules', name), join(made, 'node_modules', name), 'junction')
  }
  for (const [name, code] of Object.entries(files)) writeFileSync(join(made, name), code)
  return made
}

/** The lines of the names in `INBOUND` that arrive at ratings when the program is asked. */
async function arrived(t, tracing, args) {
  const [ratings, port] = [await listen(t, echo()), await freePort()]
  const app = `${APP.replace('ratings:9080', `127.0.0.1:${ratings}`).replace('9080)', `${port}, () => process.send('ready'))`)}`
  const cwd = folder(t, { 'tracing.js': tracing, 'app.js': app })
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const ended = once(child, 'exit')
  t.after(() => child.kill() && ended)
  await Promise.race([once(child, 'message'), ended.then(() => assert.fail('the program has ended'))])
  const lines = await (await fetch(`http://127.0.0.1:${port}/`, { headers: INBOUND })).json()
  return lines.filter(([name]) => Object.hasOwn(INBOUND, name)).sort()
}

for (const [title, tracing, args] of [['beside Onward', TRACING, BESIDE], ['with Onward as a propagator', PROPAGATOR, ALONE]]) {
  test(`${title}, the service calls on with one span as the parent in every format`, async (t) => {
    const lines = await arrived(t, tracing, args)
    const [, trace, id] = Object.fromEntries(lines).traceparent.split('-')
    assert.equal(trace, TRACE)
    assert.notEqual(id, '00f067aa0ba902b7')
    const expected = { ...INBOUND, traceparent: `00-${TRACE}-${id}-01`, b3: `${TRACE}-${id}-1` }
    assert.deepEqual(lines, Object.entries(expected).sort())
  })
}

test('without Onward the SDK carries its own format on, and nothing else', async (t) => {
  const lines = await arrived(t, TRACING, ALONE)
  assert.deepEqual(lines.map(([name]) => name), ['traceparent'])
})

test("the propagator's types fit those of OpenTelemetry, in both module systems", (t) => {
  const used = "const propagator: TextMapPropagator = new OnwardPropagator()\npropagator.fields()\n"
  const wrong = 'new OnwardPropagator({ presets: [] })\n'
  const imports = "import type { TextMapPropagator } from '@opentelemetry/api'\nimport { OnwardPropagator } from 'onward/opentelemetry'\n"
  const cwd = folder(t, { 'good.mts': imports + used, 'good.cts': imports + used, 'bad.mts': imports + wrong })
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2023', '--types', 'node']
  const compile = (...files) => spawnSync(process.execPath, [tsc, ...options, ...files], { cwd, encoding: 'utf8' }).stdout
  assert.equal(compile('good.mts', 'good.cts'), '')
  assert.match(compile('bad.mts'), /error TS/)
})

test('require and import give the same propagator', async (t) => {
  const code = "import * as imported from 'onward/opentelemetry'\nimport { createRequire } from 'node:module'\n" +
    "const required = createRequire(import.meta.url)('onward/opentelemetry')\n" +
    'console.log(imported.OnwardPropagator === required.OnwardPropagator, Object.keys(required).join())'
  const { stdout } = spawnSync(process.execPath, ['app.mjs'], { cwd: folder(t, { 'app.mjs': code }), encoding: 'utf8' })
  assert.equal(stdout, 'true OnwardPropagator\n')
})
