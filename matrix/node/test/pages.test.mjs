// Each program in the frameworks' pages runs as the page says, and calls on with the headers of its request.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { after, before } from 'node:test'

import { EVERYTHING, MODULES, Ratings, blocks, folder, freePort, start } from './running.mjs'

// Without this of the page's first program nothing is forwarded.
const PAGES = [
  { page: 'http', line: 'onward.propagate(', instead: '(' },
  { page: 'http2', line: 'onward.propagate(', instead: '(', speaks: 'h2c' },
  { page: 'express', line: 'app.use(onward.express())', express: 'express4' },
  { page: 'express', line: 'app.use(onward.express())', express: 'express5' },
  { page: 'fastify', line: 'await app.register(onward.fastify)' },
  { page: 'koa', line: 'app.use(onward.koa())' },
  { page: 'hapi', line: 'await server.register(onward.hapi)' },
  { page: 'hono', line: 'app.use(onward.hono())' },
  { page: 'nest', line: 'app.use(onward.express())' },
  { page: 'migrating', line: 'onward.instrument({ servers: true })' }
]

let ratings

before(async () => {
  ratings = await Ratings.start()
})
after(() => ratings.close())

/** Starts a program in a folder of its own, and gives its port. */
async function running(t, { language, code }, express = 'express5') {
  const cwd = folder(t, { express })
  const port = await freePort()
  writeFileSync(join(cwd, language === 'ts' ? 'reviews.mts' : 'reviews.mjs'), ratings.local(code, port))
  if (language === 'ts') compile(cwd)
  await start(t, cwd, ['reviews.mjs'], port)
  return port
}

function compile(cwd) {
  const compilerOptions = {
    module: 'nodenext', target: 'es2022', strict: true, skipLibCheck: true, types: ['node'],
    experimentalDecorators: true, emitDecoratorMetadata: true
  }
  writeFileSync(join(cwd, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['reviews.mts'] }))
  execFileSync(process.execPath, [join(MODULES, 'typescript', 'bin', 'tsc'), '-p', cwd], { stdio: ['ignore', 'inherit', 'inherit'] })
}

test('every page shows the one line, and the way by hand', () => {
  for (const { page, line } of PAGES) {
    const [first, ...others] = blocks(page).map(({ code }) => code)
    assert.equal(first.split(line).length, 2, page)
    assert.ok(others.some((code) => code.includes('getForwardHeaders')), page)
  }
})

for (const { page, line, instead = '', speaks, express } of PAGES) {
  const name = express ?? page
  for (const [number, program] of blocks(page).entries()) {
    test(`${name}: program ${number + 1} forwards everything`, async (t) => {
      const port = await running(t, program, express)
      const paths = ['/reviews', '/by-hand'].filter((path) => program.code.includes(path.slice(1)))
      for (const path of paths.length === 0 ? ['/reviews'] : paths) {
        assert.deepEqual(await ratings.arrived(port, path, speaks), EVERYTHING, path)
      }
    })
  }

  test(`${name}: without the page's line nothing is forwarded`, async (t) => {
    const [{ language, code }] = blocks(page)
    const port = await running(t, { language, code: code.replace(line, instead) }, express)
    assert.deepEqual(await ratings.arrived(port, '/reviews', speaks), new Map())
  })
}
