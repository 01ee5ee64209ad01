'use strict'

class OnwardError extends Error {
  constructor(code, token, message, options) {
    super(message, options?.cause === undefined ? undefined : options)
    this.code = code
    this.token = token
  }

  get name() {
    return 'OnwardError'
  }
}

/** Passes a result of the native module on; throws what it calls a mistake. */
function checked(result) {
  if (typeof result === 'object' && result !== null && typeof result.code === 'string') {
    throw new OnwardError(result.code, result.token, result.message)
  }
  return result
}

module.exports = { OnwardError, checked }
