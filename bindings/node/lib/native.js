'use strict'

// By the package's own name, so that a bundler can be told to leave it out.
module.exports = require('onward/native')
