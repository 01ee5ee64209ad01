'use strict'

// @grpc/grpc-js, every copy that is loaded already or will be.

const Module = require('node:module')

const { orUntouched } = require('./failure')
const { forwardCalls } = require('./grpc')

// `require` calls it by its name, `import` by its file.
const NAME = '@grpc/grpc-js'
const FILE = /[\\/]@grpc[\\/]grpc-js[\\/]build[\\/]src[\\/]index\.js$/

/** What undoes it, of each copy's channels. */
const undo = new Map()
let active = false
let original

function start() {
  active = true
  for (const file of Object.keys(Module._cache)) if (FILE.test(file)) cover(Module._cache[file].exports)
  if (original !== undefined) return
  original = Module._load
  Module._load = load
}

function stop() {
  active = false
  for (const step of undo.values()) step()
  undo.clear()
  // Where somebody has wrapped the wrapper, it stays, and only passes on.
  if (Module._load !== load) return
  Module._load = original
  original = undefined
}

function load(request, ...rest) {
  const loaded = original.call(this, request, ...rest)
  if (active && (request === NAME || FILE.test(request))) orUntouched(() => cover(loaded))
  return loaded
}

function cover(grpc) {
  const prototype = grpc.Channel?.prototype
  if (prototype !== undefined && !undo.has(prototype)) undo.set(prototype, forwardCalls(grpc, () => active))
}

module.exports = { start, stop }
