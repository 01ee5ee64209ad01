// A service in one file, made by the bundlers that people use, with the addon left outside: it forwards as it did before.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test, { after, before } from 'node:test'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import esbuild from 'esbuild'
import webpack from 'webpack'

import { echo, listen, valuesOf } from './servers.mjs'

const APP = `
import http from 'node:http'
import { current, getForwardHeaders, instrument, propagate } from 'onward'

instrument()
const server = http.createServer(propagate(async (request, response) => {
  const answers = [fetch(process.env.RATINGS), fetch(process.env.RATINGS, { headers: getForwardHeaders(request) })]
  const lines = await Promise.all(answers.map(async (answer) => (await answer).json()))
  response.end(JSON.stringify({ lines, size: current().size }))
}))
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
`
const folder = mkdtempSync(join(tmpdir(), 'onward-bundle-'))
const entry = join(folder, 'app.mjs')

before(() => {
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(fileURLToPath(new URL('..', import.meta.url)), join(folder, 'node_modules', 'onward'), 'junction')
  writeFileSync(entry, APP)
})
after(() => rmSync(folder, { recursive: true, force: true }))

const withEsbuild = (outfile, options) => esbuild.build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', logLevel: 'silent', ...options })

async function withWebpack(outfile) {
  const externals = { 'onward/native': 'commonjs onward/native' }
  const output = { path: folder, filename: outfile.slice(folder.length + 1) }
  const stats = await promisify(webpack)({ entry, output, externals, target: 'node', mode: 'production', performance: false })
  assert.deepEqual(stats.toJson({ all: false, errors: true, warnings: true }), { errors: [], warnings: [] })
}

const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"
const BUNDLES = {
  'esbuild': ['esbuild.cjs', (file) => withEsbuild(file, { external: ['onward/native'], minify: true })],
  'esbuild, as an ES module': ['esbuild.mjs', (file) => withEsbuild(file, { external: ['onward/native'], format: 'esm', banner: { js: REQUIRE } })],
  'webpack': ['webpack.cjs', withWebpack]
}

function start(file, environment) {
  return spawn(process.execPath, [file], { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] })
}

for (const [name, [file, bundle]] of Object.entries(BUNDLES)) {
  test(`${name}: a bundle with the addon outside forwards, by itself and by hand`, async (t) => {
    const outfile = join(folder, file)
    await bundle(outfile)
    const left = [...readFileSync(outfile, 'utf8').matchAll(/require\(["'](onward[^"']*)["']\)/g)].map(([, module]) => module)
    assert.deepEqual(left, ['onward/native'])
    const ratings = await listen(t, echo())
    const child = start(outfile, { RATINGS: `http://127.0.0.1:${ratings}/` })
    t.after(() => child.kill() && once(child, 'exit'))
    child.stderr.pipe(process.stderr)
    const [port] = await once(child.stdout.setEncoding('utf8'), 'data')
    const headers = { 'x-request-id': 'a-1', cookie: 'session=b', 'x-other': 'stays' }
    const { lines, size } = await (await fetch(`http://127.0.0.1:${Number(port)}/`, { headers })).json()
    assert.equal(lines.length, 2)
    for (const each of lines) {
      assert.deepEqual(['x-request-id', 'cookie', 'x-other'].map((other) => valuesOf(each, other)), [['a-1'], ['session=b'], []])
    }
    // And fetch's own user-agent, as the test itself has sent it.
    assert.equal(size, 3)
  })
}

test('a bundle with the addon in it ends with an error that says what to leave out', async () => {
  const outfile = join(folder, 'inside.cjs')
  await withEsbuild(outfile, {})
  const child = start(outfile, {})
  const [output, [status]] = await Promise.all([text(child.stderr), once(child, 'exit')])
  assert.equal(status, 1)
  assert.match(output, /onward has no binary for .* In a bundle, leave `onward\/native` out\n/)
})
