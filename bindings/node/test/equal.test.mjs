import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import test from 'node:test'
import { createRequire } from 'node:module'

import { Propagator } from '../index.mjs'
import { POLICIES, SEED, compareWithCore, generator } from './random.mjs'
import { parsedRequests } from './servers.mjs'

const require = createRequire(import.meta.url)
const native = require('../lib/native')
const { Policy } = require('../lib/policy')

test('the plan run in JavaScript and the core give the same on random headers', () => {
  const quick = compareWithCore(generator(SEED), 1500)
  assert.ok(quick > 1000, `only ${quick} were usual`)
})

test('requests parsed by Node, and plain objects, give the same as the core', async (t) => {
  const { lines } = generator(SEED + 1)
  const fits = ([name, value]) => /^[\x21-\x39\x3b-\x7e]+$/.test(name) && !/[\x00-\x08\x0a-\x1f\x7f\u0100-\uffff]/.test(value) && name !== 'host'
  const sent = Array.from({ length: 800 }, () => lines(16).filter(fits)).filter((list) => list.length > 0)
  const requests = await parsedRequests(t, sent)
  for (const options of POLICIES) {
    const propagator = new Propagator(options)
    const compiled = native.compile(options)
    for (const [i, request] of requests.entries()) {
      // The parser trims blanks at both ends.
      const expected = compiled.extract(sent[i].flatMap(([name, value]) => [name, value.replace(/^[ \t]+|[ \t]+$/g, '')]))
      if (i % 2 === 0) void request.headers
      assert.deepEqual([...propagator.extract(request)].flat(), expected.lines(), JSON.stringify(sent[i]))

      const object = Object.fromEntries(sent[i])
      const fromObject = compiled.extract(Object.entries(object).flat())
      assert.deepEqual([...propagator.extract(object)].flat(), fromObject.lines(), JSON.stringify(object))
    }
  }
})

test('the comparison finds a plan that has lost a header', () => {
  const lines = [['x-request-id', 'a'], ['jwt', 'b']]
  const { plan } = new Policy(native.compile({ remove: ['jwt'] }))
  const expected = native.compile({}).extract(lines.flat()).lines()
  assert.notDeepEqual(Object.entries(plan.pick(lines.flat(), {})).flat(), expected)
})

test('without code generation the same plan runs as a loop, and gives the same', () => {
  const script = `
    import assert from 'node:assert/strict'
    import { SEED, compareWithCore, generator } from './test/random.mjs'
    assert.throws(() => new Function('return 1'), EvalError)
    assert.ok(compareWithCore(generator(SEED + 2), 300) > 200)
    console.log('same')`
  const cwd = new URL('..', import.meta.url)
  const flags = ['--disallow-code-generation-from-strings', '--input-type=module', '-e', script]
  assert.equal(execFileSync(process.execPath, flags, { cwd, encoding: 'utf8' }), 'same\n')
})
