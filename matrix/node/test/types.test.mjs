import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'

import { MODULES, folder } from './running.mjs'

test("every framework's types take Onward's one line, and Onward's types its request", (t) => {
  const cwd = folder(t, { express: 'express5' })
  copyFileSync(fileURLToPath(new URL('types.mts', import.meta.url)), join(cwd, 'types.mts'))
  // The packages are links; their types are found beside these, not where they lead to.
  const compilerOptions = { module: 'nodenext', target: 'es2022', strict: true, noEmit: true, skipLibCheck: true, types: ['node'], preserveSymlinks: true }
  writeFileSync(join(cwd, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['types.mts'] }))
  const { stdout, status } = spawnSync(process.execPath, [join(MODULES, 'typescript', 'bin', 'tsc'), '-p', cwd], { encoding: 'utf8' })
  assert.equal(stdout, '')
  assert.equal(status, 0)
})
