// Runs the matrix and writes its table: what `cargo xtask matrix node` calls.
//
//     node matrix/node/main.mjs [--json] [--write FILE] [FRAMEWORK]
//
// With a framework only its row runs.

import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

import * as cell from './cell.mjs'
import * as clients from './clients/index.mjs'
import { Echo } from './echo.mjs'
import * as servers from './servers/index.mjs'
import * as table from './table.mjs'

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean' }, write: { type: 'string' } },
  allowPositionals: true
})
const chosen = servers.ALL.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
if (chosen.length === 0) throw new Error(`there is no framework ${positionals.join(', ')}`)

clients.resolveOutside()
const echo = await Echo.start()
const cells = []
for (const server of chosen) {
  for (const client of clients.ALL) {
    const done = await cell.run(server, client, echo)
    console.log(done.passed ? '✓' : '✗', `${server.name}, ${client.name}`)
    for (const failure of done.failures) console.log(`    ${failure}`)
    cells.push(done)
  }
}
await echo.close()

if (values.write !== undefined) writeFileSync(values.write, table.page(chosen, clients.ALL, cells))
const summary = table.summary(chosen, clients.ALL, cells)
const { cells: count, passed, failed, empty } = summary
if (values.json) console.log(JSON.stringify(summary))
else console.log(`${count} cells: ${passed} passed, ${failed} failed, ${empty} empty`)
process.exitCode = passed === count ? 0 : 1
