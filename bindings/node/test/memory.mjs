// `node --expose-gc memory.mjs CALLS [leak]`: prints by how many bytes the heap and the process have grown meanwhile.

import { setImmediate } from 'node:timers/promises'

import * as onward from '../index.mjs'
import { fixtures } from '../benches/fixtures.mjs'

const [calls, leak] = [Number(process.argv[2]), process.argv[3] === 'leak']
const propagator = new onward.Propagator({ add: ['x-canary-*'] })
const { S, L, close } = await fixtures(8)
const kept = []

/** What a service does with a request, and with some that are not usual. */
const USES = [
  (i) => onward.run(propagator.extract(S[i % 8]), () => onward.current().inject({}, 'http://reviews:9080/')),
  (i) => propagator.getForwardHeaders(L[i % 8], `http://host-${i}.example.com/`),
  (i) => propagator.getForwardHeaders({ 'X-Request-Id': `${i}`, 'cookie': 'a=b', [`x-canary-${i}`]: 'v' }),
  // For the core: a repeated line, a value that is dropped, an explanation, a mistake.
  (i) => propagator.extract([['x-request-id', `${i}`], ['x-request-id', 'b']]).toObject(),
  (i) => propagator.extract([['jwt', `${i}\r\n`]]).dropped,
  (i) => propagator.explain([['jwt', `${i}`]], 'http://reviews:9080/'),
  (i) => { try { return new onward.Propagator({ presets: [`${i}`] }) } catch (error) { return error } }
]

async function use(from, to) {
  for (let i = from; i < to; i++) {
    const result = USES[i % USES.length](i)
    if (leak) kept.push(result)
    // What the core has given is let go of between turns.
    if (i % 1000 === 0) await setImmediate()
  }
  for (let i = 0; i < 4; i++) {
    globalThis.gc()
    await setImmediate()
  }
  const { heapUsed, rss } = process.memoryUsage()
  return { heapUsed, rss }
}

const before = await use(0, calls / 5)
const after = await use(calls / 5, calls)
close()
console.log(JSON.stringify({ heap: after.heapUsed - before.heapUsed, rss: after.rss - before.rss }))
