// The package as an ES module: by name, as a whole, and the same objects as `require` gives.

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import onward, { getForwardHeaders, OnwardError, Propagator } from 'onward'

assert.deepEqual({ ...getForwardHeaders(new Headers({ 'x-request-id': '7f6c', accept: '*/*' })) }, { 'x-request-id': '7f6c' })
assert.throws(() => Propagator.fromEnv({ ONWARD_PRESETS: 'istoi' }), OnwardError)
const required = createRequire(import.meta.url)('onward')
assert.equal(required.getForwardHeaders, getForwardHeaders)
assert.deepEqual(Object.keys(onward).sort(), Object.keys(required).sort())
