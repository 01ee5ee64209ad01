// The package as a user gets it: packed, installed into an empty folder without network or scripts, required, imported,
// and compiled against its types in both module systems.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createRequire } from 'node:module'
import test, { after, before } from 'node:test'

const require = createRequire(import.meta.url)
const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'onward-package-'))
const node = (...args) => execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
const npm = (args, cwd) => execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], shell: process.platform === 'win32' })

let packed

before(() => {
  [packed] = JSON.parse(npm(['pack', '--json', '--pack-destination', folder], root))
  writeFileSync(join(folder, 'package.json'), '{"private": true}')
  npm(['install', '--offline', '--ignore-scripts', `./${packed.filename}`], folder)
})
after(() => rmSync(folder, { recursive: true, force: true }))

const EXPORTS = [
  'ForwardHeaders', 'OnwardError', 'Propagator', 'carry', 'current', 'defaultPropagator', 'explain', 'express', 'extract',
  'fastify', 'getForwardHeaders', 'hapi', 'hono', 'instrument', 'koa', 'messages', 'propagate', 'run', 'setDefault', 'undici', 'uninstrument'
]

test('the tarball holds the binary, the face and the types, and nothing else', () => {
  const files = packed.files.map(({ path }) => path)
  assert.equal(files.filter((file) => file.endsWith('.node')).length, 1)
  for (const file of ['index.js', 'index.mjs', 'index.d.ts', 'index.d.mts', 'package.json', 'README.md']) assert.ok(files.includes(file), file)
  const others = files.filter((file) => !/^(index\.|grpc\.|lib\/|native\/|package\.json$|README\.md$)/.test(file))
  assert.deepEqual(others, [])
})

test('the package runs no script when it is installed, and depends on nothing', () => {
  const manifest = require('../package.json')
  for (const script of ['preinstall', 'install', 'postinstall', 'prepare']) assert.equal(manifest.scripts[script], undefined)
  assert.equal(manifest.dependencies, undefined)
})

test('require and import give the same objects', () => {
  const names = JSON.parse(node('-p', 'JSON.stringify(Object.keys(require("onward")).sort())'))
  assert.deepEqual(names, EXPORTS)
  const script = `
    import * as imported from 'onward'
    import { createRequire } from 'node:module'
    const required = createRequire(import.meta.url)('onward')
    const { default: whole, 'module.exports': _, ...named } = imported
    console.log(JSON.stringify([Object.keys(named).sort(), whole === required, Object.keys(named).every((name) => named[name] === required[name])]))`
  assert.deepEqual(JSON.parse(node('--input-type=module', '-e', script)), [EXPORTS, true, true])
})

test('it works in an empty folder', () => {
  assert.equal(node('-p', 'require("onward").getForwardHeaders({ "X-Request-Id": "a", accept: "b" })["x-request-id"]'), 'a\n')
})

test('importing changes nothing', () => {
  const script = `
    const http = require('node:http')
    const before = [fetch, http.request, http.get, Object.keys(process.env).length, process.listenerCount('uncaughtException')]
    require('onward')
    const after = [fetch, http.request, http.get, Object.keys(process.env).length, process.listenerCount('uncaughtException')]
    console.log(before.every((value, i) => value === after[i]))`
  assert.equal(node('-e', script), 'true\n')
})

const CONSUMER = `
const request = new IncomingMessage(new Socket())
const headers: Record<string, string> = onward.getForwardHeaders(request)
onward.getForwardHeaders(new Request('http://a/'), new URL('http://b/'))
onward.getForwardHeaders(new Headers())
onward.getForwardHeaders({ cookie: ['a', 'b'], jwt: 'c' })
onward.getForwardHeaders([['cookie', 'a']], 'reviews:9080')
const propagator = new onward.Propagator({ presets: ['w3c'], add: ['x-tenant-id'], maxBytes: 1024, traceDestinations: 'mesh' })
const captured: onward.ForwardHeaders = propagator.extract(request)
for (const [name, value] of captured) console.log(name.length + value.length)
const sent: Headers = captured.inject(new Headers(), 'http://reviews:9080/')
captured.inject({} as Record<string, string>)
captured.inject(new ClientRequest('http://a/'))
const rows: onward.ExplainRow[] = onward.explain(request, 'https://api.example.com/', { accept: '*/*' })
const handler = onward.propagate(async (req: IncomingMessage, res: ServerResponse) => { res.end() })
createServer(handler)
const size: number = onward.run(captured, (a: number) => a + onward.current().size, 1)
const message = { value: 'body', headers: onward.messages.inject({ priority: 3 }, { credentials: true }) }
const kafka: { [name: string]: Buffer | string | (Buffer | string)[] | undefined } = onward.messages.inject({})
onward.run(onward.messages.extract(message.headers, { propagator }), () => onward.messages.explain())
onward.messages.extract(undefined)
console.log(message.headers.priority + 1, kafka)
// @ts-expect-error not a message
onward.messages.inject('priority')
onward.instrument()
try { onward.setDefault(propagator) } catch (error) { if (error instanceof onward.OnwardError) console.log(error.code, error.token) }
// @ts-expect-error an option that does not exist
new onward.Propagator({ preset: 'istio' })
// @ts-expect-error they come from extract
new onward.ForwardHeaders()
// @ts-expect-error not a carrier
onward.getForwardHeaders(1)
console.log(headers, sent, rows, size)
`
const IMPORTS = "import { ClientRequest, IncomingMessage, ServerResponse, createServer } from 'node:http'\nimport { Socket } from 'node:net'\n"

test('the types fit the module, for require and for import', () => {
  const types = join(folder, 'node_modules', '@types')
  mkdirSync(types, { recursive: true })
  for (const name of ['@types/node', 'undici-types']) {
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name), 'junction')
  }
  const frameworks = `
import * as onward from 'onward'
const all: { [name in keyof typeof onward]: unknown } = onward
console.log(all)
`
  writeFileSync(join(folder, 'consumer.cts'), `${IMPORTS}import onward = require('onward')\n${CONSUMER}`)
  writeFileSync(join(folder, 'consumer.mts'), `${IMPORTS}import * as onward from 'onward'\nimport whole, { getForwardHeaders } from 'onward'\nconsole.log(whole.current(), getForwardHeaders)\n${CONSUMER}`)
  writeFileSync(join(folder, 'all.mts'), frameworks)
  const options = {
    compilerOptions: { module: 'nodenext', target: 'es2023', lib: ['es2023', 'dom', 'dom.iterable'], types: ['node'], strict: true, noEmit: true, skipLibCheck: false },
    files: ['consumer.cts', 'consumer.mts', 'all.mts']
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(options))
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  try {
    node(tsc, '-p', 'tsconfig.json')
  } catch (error) {
    assert.fail(error.stdout)
  }
})

test('the types name exactly what the module exports', async () => {
  const { readFileSync } = await import('node:fs')
  const declared = readFileSync(join(root, 'index.d.ts'), 'utf8').matchAll(/^export (?:class|function|const) (\w+)/gm)
  assert.deepEqual([...declared].map(([, name]) => name).sort(), EXPORTS)
  const onward = require('../index.js')
  const members = (name) => {
    const [, body] = readFileSync(join(root, 'index.d.ts'), 'utf8').match(new RegExp(`^export class ${name}[^{]*\\{\n([\\s\\S]*?)^\\}`, 'm'))
    const found = [...body.matchAll(/^ {2}(?:static )?(?:readonly )?(\w+)(?=[(<:?])/gm)].map(([, member]) => member)
    return [...new Set(found)].filter((member) => member !== 'constructor').sort()
  }
  const built = ({ prototype, ...statics }, own) => {
    return [...Object.getOwnPropertyNames(prototype), ...own].filter((name) => name !== 'constructor').sort()
  }
  assert.deepEqual(members('Propagator'), built(onward.Propagator, ['fromEnv']))
  assert.deepEqual(members('ForwardHeaders'), built(onward.ForwardHeaders, []))
})
