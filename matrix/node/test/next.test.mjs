// The service on the page of Next.js, built and started by Next.js itself.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import test from 'node:test'

import { EVERYTHING, MODULES, Ratings, blocks, environment, folder, freePort, start } from './running.mjs'

const BARE = `export async function GET() {
  const ratings = await fetch('http://ratings:9080/ratings/0', { cache: 'no-store' })
  return new Response(await ratings.text())
}
`
const LAYOUT = 'export default ({ children }) => <html><body>{children}</body></html>\n'

/** The files that the page names, in order of their blocks. */
function files() {
  const text = readFileSync(new URL('../../../docs/node/next.md', import.meta.url), 'utf8')
  const names = [...text.matchAll(/in `([\w/.-]+\.m?js)`:/gi)].map(([, name]) => name)
  const codes = blocks('next').map(({ code }) => code)
  assert.equal(names.length, codes.length)
  return names.map((name, i) => [name, codes[i]])
}

/** A copy: bundlers tell packages from an application's own code by their place. */
function install(modules) {
  const from = realpathSync(join(MODULES, 'onward'))
  const isPart = (path) => !/^(node_modules|src|test|benches)$/.test(relative(from, path))
  cpSync(from, join(modules, 'onward'), { recursive: true, filter: isPart })
}

test('Next.js: route handlers and server components forward everything, and only they; under onward/register all do', async (t) => {
  const ratings = await Ratings.start()
  t.after(() => ratings.close())
  const cwd = folder(t, { onward: undefined })
  install(join(cwd, 'node_modules'))
  const port = await freePort()
  for (const [name, code] of [...files(), ['app/bare/route.js', BARE], ['app/layout.js', LAYOUT], ['package.json', '{}']]) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true })
    // The packages are links out of the folder.
    const config = code.replace("['onward']", "['onward'], turbopack: { root: '/' }")
    writeFileSync(join(cwd, name), ratings.local(name === 'next.config.mjs' ? config : code, port))
  }
  const next = join('node_modules', 'next', 'dist', 'bin', 'next')
  const env = { ...environment(), NEXT_TELEMETRY_DISABLED: '1' }
  execFileSync(process.execPath, [next, 'build'], { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] })
  const serve = (port) => [next, 'start', '--hostname', '127.0.0.1', '--port', String(port)]
  await start(t, cwd, serve(port), port)
  for (const path of ['/reviews', '/', '/by-hand']) assert.deepEqual(await ratings.arrived(port, path), EVERYTHING, path)
  assert.deepEqual(await ratings.arrived(port, '/bare'), new Map())

  const registered = await freePort()
  await start(t, cwd, ['--import', 'onward/register', ...serve(registered)], registered)
  for (const path of ['/bare', '/reviews', '/']) assert.deepEqual(await ratings.arrived(registered, path), EVERYTHING, path)
})
