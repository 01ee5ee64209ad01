import test from 'node:test'
import { parsedRequests } from './servers.mjs'
for (const n of [10, 100, 300, 800]) test('n'+n, async (t) => {
  const r = await parsedRequests(t, Array.from({length:n},()=>[['jwt','a'.repeat(500)]]))
  console.log(n, r.length)
})
