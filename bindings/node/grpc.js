'use strict'

module.exports = require('./lib/grpc')
