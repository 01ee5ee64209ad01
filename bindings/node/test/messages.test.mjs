// Messages: what goes into them and comes out, through the codecs that the libraries bring along.

import assert from 'node:assert/strict'
import http from 'node:http'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

import { OnwardError, Propagator, current, express, extract, instrument, messages, run, uninstrument } from '../index.mjs'

const require = createRequire(import.meta.url)
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0')
const decodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0/decoder')
const Decoder = require('kafkajs/src/protocol/decoder')
const amqp = require(join(dirname(require.resolve('amqplib')), 'lib', 'defs.js'))

const ALLOWED = {
  'x-request-id': '7b0ac7e5-9f9e-9a1a-8f4e-7a3b5b0f2d11',
  'traceparent': '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  'tracestate': 'es=s:1.0',
  'end-user': 'jason'
}
const CREDENTIALS = { cookie: 'session=secret', authorization: 'Bearer secret', jwt: 'eyJ0' }
const ALL = { ...ALLOWED, ...CREDENTIALS }

const isUnsupported = (error) => error instanceof OnwardError && error.code === 'unsupported_carrier'

test('a plain object carries a request to its reader without credentials', () => {
  const message = run(ALL, () => messages.inject({ priority: 3 }))
  assert.deepEqual(message, { priority: 3, ...ALLOWED })
  assert.deepEqual(messages.extract(message).toObject(), ALLOWED)
})

test('credentials enter a message only when asked', () => {
  run(ALL, () => {
    assert.deepEqual(messages.inject({}, { credentials: true }), ALL)
    for (const credentials of [false, undefined, 'no', 1]) assert.deepEqual(messages.inject({}, { credentials }), ALLOWED)
  })
})

test('headers are written where a message holds them', () => {
  run(ALL, () => {
    assert.deepEqual(messages.inject({ value: 'a', headers: { priority: '3' } }), { value: 'a', headers: { priority: '3', ...ALLOWED } })
    assert.deepEqual(messages.inject({ contentType: 'a', headers: undefined }), { contentType: 'a', headers: ALLOWED })
    assert.deepEqual(messages.inject(new Map()), new Map(Object.entries(ALLOWED)))
    assert.deepEqual(messages.inject([]), Object.entries(ALLOWED))
  })
  for (const message of [{ value: 'a', headers: ALL }, { headers: new Map(Object.entries(ALL)) }]) {
    assert.deepEqual(messages.extract(message).toObject(), ALL)
  }
})

test('text in a message is UTF-8, and in a request one character a byte', () => {
  const inbound = { 'end-user': 'jos\u00c3\u00a9', 'baggage': 'caf\u00e9' }
  const message = run(inbound, () => messages.inject({}))
  assert.deepEqual(message, { 'end-user': 'jos\u00e9', 'baggage': Buffer.from('caf\u00e9', 'latin1') })
  assert.deepEqual(messages.extract(message).toObject(), inbound)
  assert.deepEqual(messages.extract({ 'end-user': Buffer.from('jos\u00e9') }).toObject(), { 'end-user': 'jos\u00c3\u00a9' })
})

test('what goes through JSON arrives byte for byte', () => {
  const inbound = { 'x-request-id': '7f6c', 'end-user': 'jos\u00c3\u00a9', 'baggage': 'caf\u00e9' }
  const job = run(inbound, () => JSON.stringify({ product: 0, headers: messages.inject({}) }))
  assert.deepEqual(messages.extract(JSON.parse(job).headers).toObject(), inbound)
})

test('what the producer has set wins with its family', () => {
  const inbound = { 'x-request-id': '7f6c', 'traceparent': '00-1', 'tracestate': 'a=1' }
  for (const set of [{ TraceParent: 'mine' }, { traceparent: Buffer.from('mine') }, { tracestate: '' }, { tracestate: 7 }, { tracestate: {} }]) {
    assert.deepEqual(run(inbound, () => messages.inject({ ...set })), { ...set, 'x-request-id': '7f6c' })
  }
})

test('outside of a request a message stays as it is, whatever it is', () => {
  const properties = { headers: undefined }
  for (const message of [{}, [], properties, null, undefined, 7]) assert.equal(messages.inject(message, { credentials: true }), message)
  assert.deepEqual(properties, { headers: undefined })
  assert.deepEqual(messages.explain({}), [])
})

test('a message without headers is a request without headers', () => {
  for (const message of [undefined, null, {}, [], { headers: undefined }, { headers: null }]) assert.equal(messages.extract(message).size, 0)
})

test('what holds no headers is an error that says so', () => {
  for (const message of [7, 'x-request-id: 7', true, () => {}]) {
    assert.throws(() => messages.extract(message), isUnsupported)
    assert.throws(() => run(ALL, () => messages.inject(message)), isUnsupported)
    assert.throws(() => run(ALL, () => messages.explain(message)), isUnsupported)
  }
  // Their text is Latin-1.
  assert.throws(() => run(ALL, () => messages.inject(new Headers())), isUnsupported)
})

test('values that are no text are dropped, and said so', () => {
  const headers = messages.extract({ 'x-request-id': '7f6c', 'end-user': {}, 'jwt': '\ud800', 'cookie': null })
  assert.deepEqual(headers.toObject(), { 'x-request-id': '7f6c' })
  assert.deepEqual(headers.dropped.map(({ name }) => name).sort(), ['end-user', 'jwt'])
})

test('a header named __proto__ is one, and changes nothing else', () => {
  const propagator = new Propagator({ add: ['__proto__'] })
  const message = run(propagator.extract([['__proto__', 'a']]), () => messages.inject({}))
  assert.deepEqual(Object.entries(message), [['__proto__', 'a']])
  assert.equal(Object.getPrototypeOf(message), Object.prototype)
})

test('explain says what a message holds back, and why', () => {
  run({ 'x-request-id': '7f6c', 'end-user': 'jason', 'cookie': 'a=b' }, () => {
    const rows = messages.explain({ headers: { 'end-user': 'me' } })
    assert.deepEqual(rows.map(({ name, outcome, rule }) => [name, outcome, rule]), [
      ['x-request-id', 'forwarded', 'R1'],
      ['end-user', 'held_back', 'R6'],
      ['cookie', 'held_back', 'R8']
    ])
    assert.equal(rows[2].reason, 'the destination is a message, which is stored and read by whoever subscribes')
    assert.ok(messages.explain(undefined, { credentials: true }).every(({ outcome }) => outcome === 'forwarded'))
  })
})

function throughKafka(message) {
  const decoder = new Decoder(encodeRecord({ key: null, value: Buffer.from('body'), ...message }).buffer)
  decoder.readVarInt()
  return decodeRecord(decoder, { firstOffset: 0, firstTimestamp: 0 })
}

test('records of kafkajs carry a request to its reader without credentials', () => {
  const received = throughKafka({ headers: run(ALL, () => messages.inject({ priority: '3' })) })
  assert.deepEqual(Object.keys(received.headers), ['priority', ...Object.keys(ALLOWED)])
  assert.ok(Object.values(received.headers).every(Buffer.isBuffer))
  for (const message of [received, received.headers]) assert.deepEqual(messages.extract(message).toObject(), ALLOWED)
  assert.equal(messages.extract(throughKafka({ headers: {} })).size, 0)
})

test('records of kafkajs carry every byte, and repeated lines', () => {
  const inbound = { 'end-user': 'jos\u00c3\u00a9', 'baggage': 'caf\u00e9' }
  const received = throughKafka({ headers: run(inbound, () => messages.inject({})) })
  assert.deepEqual(received.headers, { 'end-user': Buffer.from('jos\u00e9'), 'baggage': Buffer.from([0x63, 0x61, 0x66, 0xe9]) })
  assert.deepEqual(messages.extract(received).toObject(), inbound)
  const repeated = throughKafka({ headers: { tracestate: ['a=1', 'b=2'] } })
  assert.deepEqual([...messages.extract(repeated)], [['tracestate', 'a=1'], ['tracestate', 'b=2']])
})

function throughAmqp(properties) {
  const frame = amqp.encodeProperties(amqp.BasicProperties, 1, 4, properties)
  // Behind the frame's own header (7), and class, weight and size of the body (12).
  return amqp.decode(amqp.BasicProperties, frame.subarray(19))
}

test('properties of amqplib carry a request to its reader without credentials', () => {
  const { headers } = throughAmqp({ headers: run(ALL, () => messages.inject({ priority: 3 })) })
  assert.deepEqual({ ...headers }, { priority: 3, ...ALLOWED })
  assert.deepEqual(messages.extract(headers).toObject(), ALLOWED)
  assert.equal(messages.extract(throughAmqp({}).headers).size, 0)
})

test('properties of amqplib carry every byte, as in the other languages', () => {
  const inbound = { 'end-user': 'jos\u00c3\u00a9', 'baggage': 'caf\u00e9' }
  const sent = { headers: run(inbound, () => messages.inject({})) }
  assert.deepEqual(messages.extract(throughAmqp(sent).headers).toObject(), inbound)
  // The same table stands in the tests of Python and, as values of lapin, in those of Rust.
  const table = '\x08end-userS\x00\x00\x00\x05jos\xc3\xa9\x07baggagex\x00\x00\x00\x04caf\xe9'
  assert.ok(amqp.encodeProperties(amqp.BasicProperties, 1, 4, sent).includes(Buffer.from(table, 'latin1')))
})

test('a name longer than AMQP takes stays out of a table', () => {
  const name = `x-canary-${'a'.repeat(300)}`
  const headers = new Propagator({ add: ['x-canary-*'] }).extract([[name, '1'], ['x-canary-b', '2']])
  run(headers, () => {
    assert.deepEqual({ ...throughAmqp({ headers: messages.inject({}) }).headers }, { 'x-canary-b': '2' })
    assert.deepEqual(messages.inject([]), [[name, '1'], ['x-canary-b', '2']])
  })
})

test('a request of node:http goes on in the consumer, and ends with it', async (t) => {
  const queue = []
  const middleware = express()
  const server = http.createServer((req, res) => middleware(req, res, () => {
    queue.push(throughAmqp({ headers: messages.inject({}) }))
    res.end()
  }))
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  await new Promise((resolve, reject) => {
    http.get({ port: server.address().port, host: '127.0.0.1', headers: ALL, agent: false }, (res) => res.resume().on('end', resolve)).on('error', reject)
  })
  queue.push(throughAmqp({}))
  const seen = []
  for (const properties of queue) await run(messages.extract(properties.headers), async () => {
    await null
    seen.push(current().toObject())
  })
  assert.deepEqual(seen, [ALLOWED, {}])
  assert.equal(current().size, 0)
  assert.deepEqual(extract(ALL).toObject(), ALL)
})

// The page's code, with libraries that do what a broker does: what a producer has written reaches the consumer.
const [KAFKA_WRITE, KAFKA_READ, AMQP, BULLMQ, EXPLAIN] = [
  ...readFileSync(new URL('../../../docs/node/messages.md', import.meta.url), 'utf8').matchAll(/```js\n([\s\S]*?)```/g)
].map(([, code]) => code.replace("const { messages, run } = require('onward')\n", ''))

test('the code of docs/node/messages.md takes a request through every kind of queue', async (t) => {
  const received = []
  const server = http.createServer((req, res) => {
    received.push(Object.fromEntries(Object.entries(req.headers).filter(([name]) => name in ALL)))
    res.end()
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  instrument()
  t.after(() => {
    uninstrument()
    server.close()
  })
  const execute = (code, names) => {
    const local = code.replaceAll('http://ratings:9080', `http://127.0.0.1:${server.address().port}`)
    const compiled = new (async () => {}).constructor('messages', 'run', ...Object.keys(names), local)
    return compiled(messages, run, ...Object.values(names))
  }

  const topic = []
  const producer = { send: async ({ messages }) => topic.push(...messages.map(throughKafka)) }
  const consumer = { run: ({ eachMessage }) => Promise.all(topic.map((message) => eachMessage({ message }))) }
  await run(ALL, () => execute(KAFKA_WRITE, { producer }))
  await execute(KAFKA_READ, { consumer })
  assert.deepEqual(received.splice(0), [ALLOWED])

  const sent = []
  const channel = {
    sendToQueue: (queue, content, properties) => sent.push(throughAmqp(properties)),
    consume: (queue, onMessage) => run({}, () => Promise.all(sent.map((properties) => onMessage({ properties }))))
  }
  await run(ALL, () => execute(AMQP, { channel }))
  assert.deepEqual(received.splice(0), [ALLOWED])

  const jobs = []
  const queue = { add: async (name, data) => jobs.push({ name, data: JSON.parse(JSON.stringify(data)) }) }
  const work = await run(ALL, () => execute(`${BULLMQ}; return process`, { queue }))
  await work(jobs[0])
  assert.deepEqual(received.splice(0), [ALLOWED])

  const tables = []
  await execute(EXPLAIN, { request: ALL, console: { table: (rows) => tables.push(rows) } })
  assert.equal(tables[0].filter(({ outcome }) => outcome === 'held_back').length, 3)
})
