// gRPC servers on loopback, without generated code: a message is its text.

import { once } from 'node:events'
import grpc from '@grpc/grpc-js'

import { instrument, uninstrument } from '../index.mjs'
import { clientInterceptor } from '../grpc.mjs'

const KINDS = { unary: [false, false], up: [true, false], down: [false, true], both: [true, true] }

const bytes = (text) => Buffer.from(text)
const text = (buffer) => buffer.toString()

export function metadata(lines) {
  const made = new grpc.Metadata()
  for (const [name, value] of lines) made.add(name, Array.isArray(value) ? Buffer.from(value) : value)
  return made
}

// Sorted by name, as the echo answers. `grpc-trace-bin` are bytes in gRPC.
export const TRACE = [
  ['grpc-trace-bin', [0, 0, 17, 221, 209, 157]],
  ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
  ['tracestate', 'rojo=00f067aa0ba902b7'],
  ['x-request-id', '7b0ac7e5']
]
export const EVERYTHING = [['authorization', 'Bearer eyJhbGciOi'], ['cookie', 'session=a b'], ['end-user', 'jason'], ...TRACE]
export const INBOUND = metadata([...EVERYTHING, ['x-unknown', 'stays']])
// The same as HTTP has it.
export const HTTP = { ...Object.fromEntries(EVERYTHING), 'grpc-trace-bin': 'AAAR3dGd' }

/** The four kinds of methods. */
export const SERVICE = Object.fromEntries(
  Object.entries(KINDS).map(([kind, [requestStream, responseStream]]) => [kind, {
    path: `/onward.Relay/${kind}`,
    requestStream,
    responseStream,
    requestSerialize: bytes,
    requestDeserialize: text,
    responseSerialize: bytes,
    responseDeserialize: text
  }])
)

const Relay = grpc.makeGenericClientConstructor(SERVICE, 'Relay')

/** Serves the methods until the test `t` ends. Answers the port, or what the address was. */
export async function serve(t, methods, { address = '127.0.0.1:0', credentials = grpc.ServerCredentials.createInsecure(), ...options } = {}) {
  const server = new grpc.Server(options)
  const service = Object.fromEntries(Object.keys(methods).map((kind) => [kind, SERVICE[kind]]))
  server.addService(service, methods)
  const port = await new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => (error === null ? resolve(port) : reject(error)))
  })
  t.after(() => server.forceShutdown())
  return port
}

/** A client of a target, until the test `t` ends. */
export function connect(t, target, options = {}, credentials = grpc.credentials.createInsecure()) {
  // A name would be looked for in the DNS a second time, for a configuration.
  const client = new Relay(String(target), credentials, { 'grpc.service_config_disable_resolution': 1, ...options })
  t.after(() => client.close())
  return client
}

/** The unary call's answer. */
export function unary(client, message = 'hello', metadata = new grpc.Metadata(), options = {}) {
  return new Promise((resolve, reject) => {
    client.unary(message, metadata, options, (error, answer) => (error === null ? resolve(answer) : reject(error)))
  })
}

/** What calls of each kind answer, by the kind; the streams of requests hold two messages. */
export async function every(client, metadata = new grpc.Metadata()) {
  const up = new Promise((resolve, reject) => {
    const call = client.up(metadata, (error, answer) => (error === null ? resolve([answer]) : reject(error)))
    call.write('1')
    call.write('2')
    call.end()
  })
  const both = client.both(metadata)
  both.write('1')
  both.write('2')
  both.end()
  return {
    unary: [await unary(client, '1', metadata)],
    up: await up,
    down: await client.down('1', metadata).toArray(),
    both: await both.toArray()
  }
}

/** Answers with the metadata of the call, in the order of the names, and with the messages. */
export const ECHO = {
  unary: (call, answer) => answer(null, seen(call, [call.request])),
  async up(call, answer) {
    answer(null, seen(call, await received(call)))
  },
  down(call) {
    call.write(seen(call, [call.request]))
    call.end()
  },
  async both(call) {
    call.write(seen(call, await received(call)))
    call.end()
  }
}

/** Reading to the end by iteration would end the answers, too. */
async function received(call) {
  const messages = []
  call.on('data', (message) => messages.push(message))
  await once(call, 'end')
  return messages
}

function seen({ metadata }, messages) {
  // grpc-js has a `user-agent` of its own, whatever it is given.
  const names = Object.keys(metadata.getMap()).filter((name) => name !== 'user-agent').sort()
  const lines = names.flatMap((name) => metadata.get(name).map((value) => [name, Buffer.isBuffer(value) ? [...value] : value]))
  return JSON.stringify([lines, messages])
}

/** Everything instrumented, until the test ends. */
export function instrumented(t, options) {
  instrument(options)
  t.after(() => uninstrument())
}

export function intercepted(t, target) {
  return connect(t, target, { interceptors: [clientInterceptor(target)] })
}

/** What the methods answer, each time they have asked. */
export async function answers(client, inbound = INBOUND) {
  const answered = await every(client, inbound)
  const parsed = (texts) => texts.flatMap((text) => text.split('\n')).map((text) => JSON.parse(text))
  return Object.fromEntries(Object.entries(answered).map(([kind, texts]) => [kind, parsed(texts)]))
}
