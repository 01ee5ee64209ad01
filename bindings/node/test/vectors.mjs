// The contract's vectors, and everything that a runner of them needs. Throws where the index and the files differ.

import { readFileSync, readdirSync } from 'node:fs'

const folder = new URL('../../../conformance/', import.meta.url)
const read = (file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8'))

const KEYS = new Set([
  'name', 'rule', 'reason', 'env', 'limits', 'inbound', 'span', 'destination', 'message', 'outbound', 'default_user_agent',
  'lines', 'single', 'dropped', 'explain', 'policy', 'in_mesh', 'error',
  'request_id', 'trace_id'
])

export function cases() {
  const index = read('index.json')
  const listed = index.files.map(({ file }) => file)
  const present = readdirSync(new URL('vectors/', folder)).map((file) => `vectors/${file}`)
  for (const file of present) if (!listed.includes(file)) throw new Error(`${file} is not in the index`)
  const found = index.files.flatMap(({ file, cases }) => {
    const vectors = read(file)
    if (vectors.cases.length !== cases) throw new Error(`${file} has ${vectors.cases.length} cases, the index says ${cases}`)
    return vectors.cases.map((each) => ({ group: vectors.group, ...each }))
  })
  if (found.length !== index.cases) throw new Error(`${found.length} cases found, the index says ${index.cases}`)
  for (const { group: _, ...each } of found) {
    for (const key of Object.keys(each)) if (!KEYS.has(key)) throw new Error(`${each.name}: unknown key ${key}`)
  }
  return found
}
