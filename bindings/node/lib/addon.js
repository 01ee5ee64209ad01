'use strict'

const { existsSync } = require('node:fs')
const { join } = require('node:path')

// Names as napi-rs gives them. Where a platform has several, only one can be loaded: the other fails, and the next is tried.
const TRIPLES = {
  linux: ['gnu', 'musl', 'gnueabihf', 'musleabihf'].map((abi) => `linux-${process.arch}-${abi}`),
  darwin: [`darwin-${process.arch}`, 'darwin-universal'],
  win32: [`win32-${process.arch}-msvc`, `win32-${process.arch}-gnu`],
  freebsd: [`freebsd-${process.arch}`]
}

function load() {
  const failures = []
  for (const triple of TRIPLES[process.platform] ?? [`${process.platform}-${process.arch}`]) {
    const file = join(__dirname, '..', 'native', `onward.${triple}.node`)
    if (!existsSync(file)) continue
    try {
      return require(file)
    } catch (error) {
      failures.push(error)
    }
  }
  const { OnwardError } = require('./errors')
  const platform = `${process.platform} ${process.arch}, Node ${process.version}`
  const tried = failures.length === 0 ? 'none is installed' : failures.map((error) => error.message).join('; ')
  const message = `onward has no binary for this platform (${platform}): ${tried}. Build it with \`npm run build\` in bindings/node. In a bundle, leave \`onward/native\` out`
  throw new OnwardError('unsupported_platform', `${process.platform}-${process.arch}`, message, { cause: failures[0] })
}

module.exports = load()
