'use strict'

// What clients call themselves in `user-agent` where the caller gives no name.

const FETCH = new Set(['node', 'undici'])
// Libraries that set it as a caller would, on top of node:http or fetch.
const LIBRARY = /^(axios\/\d|got \(https:\/\/github\.com\/sindresorhus\/got\)$|node-fetch($|\/)|Needle\/\d|node-superagent\/\d)/

const isFetch = (name) => FETCH.has(name)
const isLibrary = (name) => LIBRARY.test(name)

module.exports = { isFetch, isLibrary }
