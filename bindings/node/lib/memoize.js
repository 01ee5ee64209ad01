'use strict'

// Authorities and names that a service sees are few; what hostile ones add must not pile up.
const MOST = 1024

/** `answer`, which depends on a string alone, asked once for each of the last thousand strings; `known` only looks. */
function memoize(answer) {
  const known = new Map()
  const memoized = (key) => {
    let value = known.get(key)
    if (value === undefined) {
      value = answer(key)
      if (known.size >= MOST) known.delete(known.keys().next().value)
      known.set(key, value)
    }
    return value
  }
  memoized.known = (key) => known.get(key)
  return memoized
}

module.exports = { memoize }
