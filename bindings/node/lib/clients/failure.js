'use strict'

/** What `work` gives; if it fails, which only a defect can make it, a warning and `untouched`: the request goes on. */
function orUntouched(work, untouched) {
  try {
    return work()
  } catch (error) {
    process.emitWarning(error)
    return untouched
  }
}

module.exports = { orUntouched }
