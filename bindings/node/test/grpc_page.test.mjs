// The programs of docs/node/grpc.md run, and call on with what came to them.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'

import { ECHO, SERVICE, connect, metadata, serve, unary } from './grpc_servers.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PROGRAMS = [
  ...readFileSync(new URL('../../../docs/node/grpc.md', import.meta.url), 'utf8').matchAll(/```js\n([\s\S]*?)```/g)
].map(([, code]) => code)
const INBOUND = [['cookie', 'a=b'], ['grpc-trace-bin', [0, 0, 17]], ['x-request-id', '7b0ac7e5']]

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/** The lines that arrive at ratings when a program's reviews are called. */
async function arrived(t, code, { file = 'reviews.mjs', args = [] } = {}) {
  const ratings = await serve(t, ECHO)
  const port = await freePort()
  const local = code
    .replace(/ratings:50051/g, `127.0.0.1:${ratings}`)
    .replace('0.0.0.0:50051', `127.0.0.1:${port}`)
    .replaceAll('/bookinfo.Ratings/Get', SERVICE.unary.path)
    .replaceAll('/bookinfo.Reviews/Get', SERVICE.unary.path)
  const folder = mkdtempSync(join(tmpdir(), 'onward-grpc-'))
  t.after(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(ROOT, join(folder, 'node_modules/onward'))
  symlinkSync(join(ROOT, 'node_modules/@grpc'), join(folder, 'node_modules/@grpc'))
  writeFileSync(join(folder, file), local)
  const child = spawn(process.execPath, [...args, file], { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] })
  t.after(async () => {
    child.kill()
    await once(child, 'exit')
  })
  const client = connect(t, `127.0.0.1:${port}`)
  await new Promise((resolve, reject) => {
    client.waitForReady(Date.now() + 20_000, (error) => (error === undefined ? resolve() : reject(error)))
  })
  return JSON.parse(await unary(client, 'hello', metadata(INBOUND)))[0]
}

for (const [number, code] of PROGRAMS.entries()) {
  test(`program ${number + 1} forwards everything`, async (t) => {
    assert.deepEqual(await arrived(t, code), INBOUND)
  })
}

test('as CommonJS it works alike', async (t) => {
  const code = PROGRAMS[0].replace(/^import (.*) from (.*)$/gm, 'const $1 = require($2)')
  assert.deepEqual(await arrived(t, code, { file: 'reviews.cjs' }), INBOUND)
})

test('without a line of Onward it runs under onward/register', async (t) => {
  const code = PROGRAMS[0]
    .replace(/^import .* from 'onward.*'\n/gm, '')
    .replace('instrument()', '')
    .replace('serverInterceptor()', '')
  assert.ok(!/onward|instrument|interceptor\(/i.test(code.replace('interceptors', '')), code)
  assert.deepEqual(await arrived(t, code, { args: ['--import', 'onward/register'] }), INBOUND)
  assert.deepEqual(await arrived(t, code), [])
})

test('without one of the lines nothing is forwarded', async (t) => {
  assert.equal(PROGRAMS.length, 3)
  for (const line of ['instrument()', 'serverInterceptor()']) {
    const parts = PROGRAMS[0].split(line)
    assert.equal(parts.length, 2, line)
    assert.deepEqual(await arrived(t, parts.join('')), [], line)
  }
})
