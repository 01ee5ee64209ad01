'use strict'

const { OnwardError } = require('./errors')

/** `options`, if it is an object with no other names than these. */
function known(options, names) {
  if (typeof options !== 'object' || options === null) throw invalid('options', 'options are an object')
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) throw invalid(name, `\`${name}\` is not an option; choose from ${names.join(', ')}`)
  }
  return options
}

function invalid(token, message) {
  return new OnwardError('invalid_argument', token, message)
}

module.exports = { invalid, known }
