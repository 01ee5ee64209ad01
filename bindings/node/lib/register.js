'use strict'

// A program with the headers forwarded, and no change to it. Runs before the program's own code, in each of its threads.

const { isMainThread, threadId } = require('node:worker_threads')

const { preliminary } = require('./default')
const { OnwardError } = require('./errors')
const { CLIENTS, SERVERS, instrument } = require('./instrument')

const VARIABLES = ['ONWARD_HEADERS', 'ONWARD_MESH_HOSTS', 'ONWARD_PRESETS', 'ONWARD_TRACE_DESTINATIONS']
// As `onward-run` of Python ends then.
const MISTAKE = 2

function register(env = process.env) {
  try {
    const explains = isExplained(env.ONWARD_DEBUG)
    instrument({ servers: true })
    if (explains) explain(env)
  } catch (error) {
    if (!(error instanceof OnwardError)) throw error
    process.stderr.write(`onward: ${error.message}\n`)
    process.exit(MISTAKE)
  }
}

function isExplained(wish = '') {
  if (wish === '' || wish === 'explain') return wish !== ''
  throw new OnwardError('invalid_argument', wish, `ONWARD_DEBUG: \`${wish}\` is not a choice; write \`explain\``)
}

function explain(env) {
  tell([process.execPath, ...process.execArgv, ...process.argv.slice(1)].join(' '))
  const settings = VARIABLES.filter((name) => env[name]).map((name) => `${name}=${env[name]}`)
  tell(`policy: ${settings.join(' ') || 'the preset istio, which is the default'}`)
  tell(`forwards ${preliminary().names.join(', ')}`)
  for (const name of Object.keys(CLIENTS)) tell(`client hooked: ${name}`)
  for (const name of Object.keys(SERVERS)) tell(`server hooked: ${name}`)
}

/** Writes a line to stderr, with the process, and the thread of it, that it is about. */
function tell(line) {
  process.stderr.write(`onward[${process.pid}${isMainThread ? '' : `.${threadId}`}]: ${line}\n`)
}

module.exports = { register }
