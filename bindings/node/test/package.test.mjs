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

/** Installs packages into an empty folder, without network or scripts, and by force: native/ may hold binaries of other platforms. */
function install(into, packages) {
  writeFileSync(join(into, 'package.json'), '{"private": true}')
  const args = ['install', '--offline', '--force', '--ignore-scripts', '--no-audit', '--no-fund', ...packages.map(({ filename }) => join(folder, filename))]
  execFileSync('npm', args, { cwd: into, stdio: 'ignore', shell: process.platform === 'win32' })
}

let main
let others

before(() => {
  [main, ...others] = JSON.parse(execFileSync(process.execPath, [join(root, 'pack.mjs'), folder], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
  install(folder, [main, ...others])
})
after(() => rmSync(folder, { recursive: true, force: true }))

const EXPORTS = [
  'ForwardHeaders', 'OnwardError', 'Propagator', 'carry', 'current', 'defaultPropagator', 'diagnostics', 'explain', 'express', 'extract',
  'fastify', 'getForwardHeaders', 'hapi', 'hono', 'instrument', 'koa', 'messages', 'propagate', 'run', 'setDefault', 'undici', 'uninstrument'
]

test('the package holds the face and the types, the package of a platform its binary, and nothing else', () => {
  for (const file of ['index.js', 'index.mjs', 'index.d.ts', 'index.d.mts', 'package.json', 'README.md']) assert.ok(main.files.includes(file), file)
  const unexpected = main.files.filter((file) => !/^(lib\/.*\.js|[a-z]+\.(js|mjs|d\.ts|d\.mts)|package\.json|README\.md)$/.test(file))
  assert.deepEqual(unexpected, [])
  assert.ok(others.length > 0)
  for (const { filename, files } of others) {
    const [, platform] = filename.match(/^onward-(.+)-\d+\.\d+\.\d+\.tgz$/)
    assert.deepEqual(files.sort(), ['README.md', `onward.${platform}.node`, 'package.json'])
  }
})

test('the binary of this platform is loaded from its own package', () => {
  const script = 'require("onward"); console.log(Object.keys(require.cache).filter((file) => file.endsWith(".node")).join())'
  assert.match(node('-e', script), /node_modules.onward-[a-z0-9-]+.onward\.[a-z0-9-]+\.node\n$/)
})

test('without a binary for it, the error names the platform and its package', () => {
  const alone = mkdtempSync(join(tmpdir(), 'onward-alone-'))
  try {
    install(alone, [main])
    const script = `
      const load = () => { try { require('onward') } catch ({ name, code, token, message }) { console.log(name, code, token, message) } }
      load()
      Object.defineProperty(process, 'arch', { value: 's390x' })
      load()`
    const [own, unknown] = execFileSync(process.execPath, ['-e', script], { cwd: alone, encoding: 'utf8' }).trim().split('\n')
    const platform = others.map(({ filename }) => filename.match(/^onward-(.+)-\d/)[1]).find((each) => own.includes(each))
    assert.equal(own, `OnwardError unsupported_platform ${platform} onward has no binary for ${platform}, Node ${process.version}: its package \`onward-${platform}\` is not installed. It is an optional dependency: install without \`--omit=optional\`, on the platform itself. In a bundle, leave \`onward/native\` out`)
    assert.match(unknown, /^OnwardError unsupported_platform \S+-s390x\S* onward has no binary for \S+-s390x\S*, Node \S+: there are `onward-/)
  } finally {
    rmSync(alone, { recursive: true, force: true })
  }
})

test('it loads in several threads at once, and twice in one process', () => {
  const copy = mkdtempSync(join(tmpdir(), 'onward-copy-'))
  try {
    install(copy, [main, ...others])
    const script = `
      const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads')
      const use = (onward) => onward.getForwardHeaders([['x-request-id', 'a'], ['x-request-id', 'b']])['x-request-id']
      const copies = [require('onward'), require(${JSON.stringify(join(copy, 'node_modules', 'onward'))})]
      if (isMainThread) {
        const workers = Array.from({ length: 4 }, () => new Worker(__filename))
        const answers = workers.map((worker) => new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject)))
        Promise.all(answers).then((all) => console.log(JSON.stringify([copies[0] === copies[1], copies.map(use), ...all])))
      } else parentPort.postMessage(copies.map(use))`
    writeFileSync(join(folder, 'threads.cjs'), script)
    assert.deepEqual(JSON.parse(node('threads.cjs')), [false, ...Array(5).fill(['a,b', 'a,b'])])
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
})

test('the package runs no script when it is installed, and depends on nothing', () => {
  const manifest = require('../package.json')
  for (const script of ['preinstall', 'install', 'postinstall', 'prepare']) assert.equal(manifest.scripts[script], undefined)
  assert.equal(manifest.dependencies, undefined)
  assert.equal(node('-p', 'require("onward/package.json").scripts'), 'undefined\n')
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
const ofThisRequest: onward.ExplainRow[] = onward.explain()
const handler = onward.propagate(async (req: IncomingMessage, res: ServerResponse) => { res.end() })
createServer(handler)
createServer(onward.propagate(handler, { propagator: propagator.derive({ remove: ['cookie'] }), add: ['x-canary-*'] }))
const size: number = onward.run(captured, (a: number) => a + onward.current().size, 1)
const lost: number = onward.diagnostics.callsWithoutScope()
onward.diagnostics.onCallWithoutScope((destination) => console.log(lost, destination.length))
onward.diagnostics.onCallWithoutScope(null)
// @ts-expect-error no function
onward.diagnostics.onCallWithoutScope('callback')
const message = { value: 'body', headers: onward.messages.inject({ priority: 3 }, { credentials: true }) }
const kafka: { [name: string]: Buffer | string | (Buffer | string)[] | undefined } = onward.messages.inject({})
onward.run(onward.messages.extract(message.headers, { propagator }), () => onward.messages.explain())
onward.messages.extract(undefined)
console.log(message.headers.priority + 1, kafka, ofThisRequest)
// @ts-expect-error not a message
onward.messages.inject('priority')
onward.instrument()
try { onward.setDefault(propagator) } catch (error) { if (error instanceof onward.OnwardError) console.log(error.code, error.token) }
// @ts-expect-error an option that does not exist
new onward.Propagator({ preset: 'istio' })
// @ts-expect-error as that of Rust
onward.propagate(handler, { except: ['cookie'] })
// @ts-expect-error that too
onward.instrument({ server: true })
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
