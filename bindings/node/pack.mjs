// `node pack.mjs FOLDER`: the packages as they are published, as tarballs in FOLDER. One is `onward`, and each binary in
// native/ has one of its own, an optional dependency, so that npm installs the one that fits. Prints their names as JSON.

import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { NapiCli, parseTriple } from '@napi-rs/cli'

const folder = resolve(process.argv[2] ?? '.')
mkdirSync(folder, { recursive: true })
const root = import.meta.dirname
const stage = mkdtempSync(join(tmpdir(), 'onward-pack-'))
try {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  for (const file of [...manifest.files, 'README.md', 'native']) cpSync(join(root, file), join(stage, file), { recursive: true })
  manifest.napi.targets = manifest.napi.targets.filter(isBuilt)
  delete manifest.scripts
  delete manifest.devDependencies
  delete manifest.overrides
  writeFileSync(join(stage, 'package.json'), JSON.stringify(manifest))

  // Each fails where a binary that the manifest names is not there.
  const napi = new NapiCli()
  await napi.createNpmDirs({ cwd: stage })
  await napi.artifacts({ cwd: stage, outputDir: 'native', npmDir: 'npm' })
  await napi.prePublish({ cwd: stage, tagStyle: 'npm', ghRelease: false, skipOptionalPublish: true })

  const packages = ['.', ...readdirSync(join(stage, 'npm')).map((name) => join('npm', name))]
  console.log(JSON.stringify(packages.flatMap(pack)))
} finally {
  rmSync(stage, { recursive: true })
}

function isBuilt(target) {
  return existsSync(join(root, 'native', `onward.${parseTriple(target).platformArchABI}.node`))
}

function pack(name) {
  const args = ['pack', '--json', '--pack-destination', folder]
  const [{ filename, files }] = JSON.parse(execFileSync('npm', args, { cwd: join(stage, name), encoding: 'utf8' }))
  return { filename, files: files.map(({ path }) => path) }
}
