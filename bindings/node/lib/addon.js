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

/** The addon that was built here, or else the one in the package of this platform. */
function load() {
  const triples = TRIPLES[process.platform] ?? []
  const built = triples.map((triple) => join(__dirname, '..', 'native', `onward.${triple}.node`)).filter(existsSync)
  const failures = []
  for (const place of [...built, ...triples.map((triple) => `onward-${triple}`)]) {
    try {
      return require(place)
    } catch (error) {
      const isMissing = error.code === 'MODULE_NOT_FOUND' && error.message.includes(`'${place}'`)
      if (!isMissing) failures.push(error)
    }
  }
  throw unsupported(failures)
}

function unsupported(failures) {
  const { OnwardError } = require('./errors')
  const platform = [process.platform, process.arch, ...libc()].join('-')
  const published = Object.keys(require('../package.json').optionalDependencies ?? {})
  const reason = failures.map((error) => error.message).join('; ') || advice(`onward-${platform}`, published)
  const message = `onward has no binary for ${platform}, Node ${process.version}: ${reason}. In a bundle, leave \`onward/native\` out`
  return new OnwardError('unsupported_platform', platform, message, { cause: failures[0] })
}

function advice(name, published) {
  if (published.includes(name)) {
    return `its package \`${name}\` is not installed. It is an optional dependency: install without \`--omit=optional\`, on the platform itself`
  }
  if (published.length > 0) return `there are ${published.map((each) => `\`${each}\``).join(', ')}`
  return 'it was not built; run `npm run build` in bindings/node'
}

/** On Linux, the C library that this Node runs on. */
function libc() {
  if (process.platform !== 'linux') return []
  return [process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'gnu']
}

module.exports = load()
