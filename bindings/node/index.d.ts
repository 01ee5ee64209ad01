/**
 * Onward keeps distributed traces whole: it forwards trace and context headers from each inbound request to every
 * outbound one.
 *
 * @packageDocumentation
 */

/** A header value of a plain object. Text is Latin-1: one character is one byte. */
export type HeaderValue = string | number | boolean | Uint8Array | readonly string[] | null | undefined

/** Header lines as pairs. */
export type HeaderPairs = Iterable<readonly [name: string, value: HeaderValue]>

/** Anything with the request in it: what Express, Fastify, Koa, Hapi, Nest, Hono and gRPC hand to a handler, and Fetch requests. */
export interface RequestLike {
  readonly rawHeaders?: readonly string[]
  readonly headers?: object
  readonly raw?: object
  readonly req?: object
  readonly metadata?: unknown
}

/**
 * What headers are read from: a request of `node:http`, `node:http2`, Express, Fastify, Koa, Hapi, Nest, Hono or Fetch, a call
 * of gRPC or its `Metadata`, `Headers`, a plain object, an array of pairs, or a flat array as `rawHeaders` is.
 *
 * From a request of Node, what came over the wire is read; what was changed in `request.headers` since then is not.
 */
export type Carrier = RequestLike | HeadersLike | MetadataLike | HeaderPairs | readonly string[] | { readonly [name: string]: HeaderValue | object }

/** The part of gRPC's `Metadata` that is used. */
export interface MetadataLike {
  getMap(): object
  get(key: string): unknown[]
  add(key: string, value: any): void
}

/** The part of `Headers` that is read. */
export interface HeadersLike {
  forEach(visit: (value: string, name: string) => void): void
  get(name: string): string | null | undefined
}

/**
 * What headers are written to: a plain object or a `Map` (repeated lines are joined), `Headers` or a Fetch `Request`, gRPC's
 * `Metadata` (what gRPC refuses is left out), a request of `node:http` that has not been sent, an array of pairs, or a flat array.
 */
export type OutboundCarrier =
  | { setHeader(name: string, value: string | readonly string[]): unknown; getHeaderNames(): string[]; getHeader(name: string): unknown }
  | { append(name: string, value: string): void; delete(name: string): void; forEach(visit: (value: string, name: string) => void): void }
  | { readonly headers: { append(name: string, value: string): void } }
  | MetadataLike
  | Map<string, string>
  | [string, string][]
  | string[]
  | Record<string, unknown>

/** An absolute URL (`http://ratings:9080/ratings/0`) or an authority (`ratings:9080`). What is neither is outside the mesh. */
export type Destination = string | URL

/** What a header carries, and with it where it may go by itself. */
export type HeaderClass = 'trace' | 'context' | 'credential'

/** Why a header that the policy selects was not captured. */
export type DropReason = 'forbidden_byte' | 'invalid_name' | 'not_latin1' | 'too_large' | 'too_many'

/** A header, or one line of it, that was not captured. */
export interface Dropped {
  readonly name: string
  readonly reason: DropReason
}

/** What becomes of one header, and which rule of the contract says so. */
export interface ExplainRow {
  /** In lower case. */
  readonly name: string
  readonly class: HeaderClass
  readonly outcome: 'forwarded' | 'held_back' | 'dropped'
  /**
   * `R1`: it goes. `R6`: the outbound request has it. `R8`: it may not go there. `R10`: it was dropped. `R13`: what a tracer's current
   * span makes of it.
   */
  readonly rule: string
  /** For a reader. */
  readonly reason: string
}

/** What a policy forwards. Everything that is left out is as in the default policy. */
export interface PropagatorOptions {
  /** Header sets, one per tracing backend: `istio` (the default), `bookinfo`, `w3c`, `zipkin`, `jaeger`, `datadog` and more. */
  presets?: readonly string[]
  /** More headers: `x-tenant-id`, or with a prefix `x-canary-*`. */
  add?: readonly string[]
  /** Headers to take out: `cookie`, `x-b3-*`. */
  remove?: readonly string[]
  /** More in-mesh destinations: a host, `*.corp.example`, an address, or a network such as `10.0.0.0/8`. */
  meshHosts?: readonly string[]
  /** Where automatic forwarding sends trace headers: everywhere (`all`, the default) or only into the mesh. */
  traceDestinations?: 'all' | 'mesh'
  /** The most that is captured of one request, in bytes of names and values. 32 KiB unless said otherwise. */
  maxBytes?: number
  /** The most header lines that prefixes capture of one request. 64 unless said otherwise. */
  maxPrefixHeaders?: number
}

/** A compiled policy. Build it once; making one takes longer than many requests. */
export class Propagator {
  /**
   * Compiles a policy from code.
   *
   * @throws {@link OnwardError} for the first mistake, with the offending token
   *
   * @example
   * ```js
   * const propagator = new Propagator({ presets: ['w3c', 'session'], add: ['x-tenant-id'], remove: ['cookie'] })
   * ```
   */
  constructor(options?: PropagatorOptions)

  /**
   * Compiles a policy from `ONWARD_PRESETS`, `ONWARD_HEADERS`, `ONWARD_MESH_HOSTS` and `ONWARD_TRACE_DESTINATIONS`.
   *
   * @param env - `process.env` unless given
   * @throws {@link OnwardError} for the first mistake, with the offending token
   */
  static fromEnv(
    env?: { readonly [name: string]: string | undefined },
    limits?: Pick<PropagatorOptions, 'maxBytes' | 'maxPrefixHeaders'>
  ): Propagator

  /**
   * Compiles a policy that differs from this one. Presets, limits and `traceDestinations` replace this policy's; everything else
   * adds. What `remove` names need not be in this policy, which the environment may have made.
   *
   * @throws {@link OnwardError} for the first mistake, with the offending token
   *
   * @example
   * ```js
   * const withoutCookies = defaultPropagator().derive({ remove: ['cookie'] })
   * ```
   */
  derive(changes?: PropagatorOptions): Propagator

  /** What is forwarded, in lower case and in policy order. A prefix ends in `*`. */
  readonly names: string[]

  /**
   * Captures what the policy selects.
   *
   * @throws {@link OnwardError} `unsupported_carrier`
   */
  extract(carrier: Carrier): ForwardHeaders

  /**
   * The headers to put on outbound requests by hand: names in lower case, repeated lines joined.
   *
   * Without a destination this is the full set, credentials included; with one, what may go there.
   *
   * @throws {@link OnwardError} `unsupported_carrier`
   */
  getForwardHeaders(carrier: Carrier, destination?: Destination): Record<string, string>

  /** Whether a destination is in the mesh. */
  inMesh(destination: Destination): boolean

  /** Tells header by header what would become of an inbound request's headers. See {@link ForwardHeaders.explain}. */
  explain(carrier: Carrier, destination?: Destination, outbound?: OutboundCarrier): ExplainRow[]
}

/**
 * What was captured from one inbound request. Immutable. Iterating gives the lines, names in lower case, in policy order.
 *
 * Of a request that Node has parsed, the headers are picked when they are first needed, from what came over the wire.
 */
export class ForwardHeaders implements Iterable<[name: string, value: string]> {
  private constructor()

  /** How many lines there are. */
  readonly size: number

  /** The first line of `name`, in any case. */
  get(name: string): string | undefined

  [Symbol.iterator](): IterableIterator<[name: string, value: string]>

  /**
   * Writes the headers to an outbound request. What the request has already wins, for its whole family.
   *
   * Without a destination this is the full set, credentials included; with one, what may go there, and nothing at all to a
   * signed request.
   *
   * @returns the carrier
   * @throws {@link OnwardError} `unsupported_carrier`
   */
  inject<T extends OutboundCarrier>(carrier: T, destination?: Destination): T

  /** The headers as a plain object, as {@link getForwardHeaders} gives them. */
  toObject(destination?: Destination): Record<string, string>

  /** The request's id, as it came in. */
  readonly requestId: string | undefined

  /**
   * The trace's id, in the spelling in which it came in: of `traceparent`, B3, Datadog, X-Ray, Cloud Trace, Jaeger, Lightstep
   * or SkyWalking, whichever comes first in this order.
   */
  readonly traceId: string | undefined

  /** What the policy selects but was not captured. At most the first 64; {@link droppedCount} has them all. */
  readonly dropped: Dropped[]

  /** How many lines were dropped. */
  readonly droppedCount: number

  /**
   * Tells what {@link inject} would do, header by header, in policy order.
   *
   * @param outbound - what the outbound request has already
   * @param defaults - names in it whose value the client library has set by itself
   */
  explain(destination?: Destination, outbound?: OutboundCarrier, defaults?: readonly string[]): ExplainRow[]

  /**
   * The same headers with a tracer's current span as the parent: every trace format that came in is written anew in its own
   * form, none is added. One that came in with the id of another trace stays as it came in. With a span that is invalid or not sampled
   * nothing changes. OpenTelemetry's current span is found without this.
   */
  withParent(span: SpanContext): ForwardHeaders
}

/** A span of a tracer, as OpenTelemetry has it. */
export interface SpanContext {
  /** 32 hexadecimal digits. */
  traceId: string
  /** 16 hexadecimal digits. */
  spanId: string
  /** W3C's trace flags. */
  traceFlags: number
  /** As `tracestate` has it, or what gives that. */
  traceState?: string | { serialize(): string }
}

/** Every error of Onward. */
export class OnwardError extends Error {
  constructor(code: string, token: string, message: string, options?: ErrorOptions)

  /** What is wrong, in `snake_case`: `unknown_preset`, `refused_header`, `unsupported_carrier`, `panic` ... */
  readonly code: string

  /** The offending text, as it was written. */
  readonly token: string
}

/** The propagator of this process: what {@link setDefault} said, or the environment, which is read at the first use. */
export function defaultPropagator(): Propagator

/**
 * Sets the propagator of this process, once and before its first use.
 *
 * @throws {@link OnwardError} `default_already_set`
 */
export function setDefault(propagator: Propagator): void

/**
 * The headers to put on outbound requests by hand: names in lower case, repeated lines joined.
 *
 * Without a destination this is the full set, credentials included; with one, what may go there.
 *
 * @throws {@link OnwardError} `unsupported_carrier`
 *
 * @example
 * ```js
 * app.get('/productpage', async (req, res) => {
 *   const reviews = await fetch('http://reviews:9080/reviews/0', { headers: getForwardHeaders(req) })
 *   res.json(await reviews.json())
 * })
 * ```
 */
export function getForwardHeaders(carrier: Carrier, destination?: Destination): Record<string, string>

/** Captures what the default policy selects. */
export function extract(carrier: Carrier): ForwardHeaders

/**
 * Tells header by header what would become of an inbound request's headers, under the default policy; without a carrier, of those
 * of the request that is being handled.
 *
 * @example
 * ```js
 * console.table(explain(req, 'https://api.example.com/'))
 * ```
 */
export function explain(carrier?: Carrier, destination?: Destination, outbound?: OutboundCarrier): ExplainRow[]

/**
 * Finds outbound calls that are made without a scope: mostly a listener or a queue that was not given {@link carry}.
 *
 * A call counts when an instrumented client, {@link undici} or `onward/grpc` makes it outside of every request's scope, although
 * the process has had one before. It counts once for each hop of a redirect. What belongs to no request, such as an exporter's
 * timer, does not count in a scope of its own: `run({}, fn)`.
 *
 * @example
 * ```js
 * diagnostics.onCallWithoutScope((destination) => {
 *   console.warn(new Error(`no request's headers on the call to ${destination}`))
 * })
 * ```
 */
export const diagnostics: {
  /** How many calls were made without a scope since this process, or this thread of it, has served its first request. */
  callsWithoutScope(): number

  /**
   * Calls `callback` at each such call, in its place, with the URL without credentials and query: an `Error` that is made there
   * has the whole stack, in which is who called. For gRPC the destination is the target and the method.
   *
   * There is one callback: another takes its place, `null` takes it away. Its mistakes do not reach the call: what it throws,
   * or rejects with, is a warning of the process. A call that it makes itself, at once or later, does not count.
   *
   * @throws {@link OnwardError} `invalid_argument`
   */
  onCallWithoutScope(callback: ((destination: string) => unknown) | null): void
}

/** The forward headers of the request that is being handled; empty outside of one. Never throws. */
export function current(): ForwardHeaders

/** Calls `fn` with these headers, or those of this request, as the current ones. */
export function run<A extends unknown[], R>(headers: ForwardHeaders | Carrier, fn: (...args: A) => R, ...args: A): R

/**
 * `fn`, bound to the headers that are current now: for callbacks that something else calls later, such as a queue.
 */
export function carry<F extends (...args: any[]) => unknown>(fn: F): F

/**
 * `handler`, with the headers of its request as the current ones while it runs. The request is the first argument that is
 * one: `req`, Koa's `ctx`, Hono's `c`, Hapi's `request`, a Fetch `Request`.
 *
 * The scope holds for promises and timers of the handler, and for what `req` and `res` of Node emit later.
 *
 * @throws {@link OnwardError} when the environment's policy has a mistake; the handler throws `unsupported_carrier` when it
 * is called without a request
 *
 * @example
 * ```js
 * instrument()
 * http.createServer(propagate(async (req, res) => {
 *   const ratings = await fetch('http://ratings:9080/ratings/0')   // the headers are on it
 *   res.end(await ratings.text())
 * }))
 *
 * app.get('/reviews', propagate(reviews, { remove: ['cookie'], add: ['x-tenant-id'] }))   // a policy of its own
 * ```
 */
export function propagate<F extends (...args: any[]) => unknown>(handler: F, options?: ServerOptions): F

/**
 * How a framework's requests are read. `presets`, `add` and `remove` change the policy for what is covered here, as
 * {@link Propagator.derive} does.
 */
export interface ServerOptions extends Pick<PropagatorOptions, 'presets' | 'add' | 'remove'> {
  /** The policy; the process's own unless given. */
  propagator?: Propagator
}

/** Middleware for Express and for Nest, on either adapter: `app.use(onward.express())`. */
export function express(options?: ServerOptions): (request: any, response: any, next: (error?: any) => void) => void

/** Plugin for Fastify: `await app.register(onward.fastify)`. It covers the whole application. */
export function fastify(app: any, options: ServerOptions, done: (error?: Error) => void): void

/** Plugin for Hapi: `await server.register(onward.hapi)`. It covers the whole server. */
export const hapi: { readonly name: string; register(server: any, options: ServerOptions): void }

/** Middleware for Hono on Node: `app.use(onward.hono())`. */
export function hono(options?: ServerOptions): (context: any, next: () => Promise<void>) => Promise<void>

/** Middleware for Koa: `app.use(onward.koa())`. */
export function koa(options?: ServerOptions): (context: any, next: () => Promise<any>) => Promise<any>

/**
 * Messages: a request goes on in whoever reads what was written to a queue or a log. A message is stored, and read by whoever
 * subscribes: it takes trace and context headers, and no credentials unless asked.
 *
 * Headers of a message are a plain object (kafkajs, AMQP, or any data that goes through JSON), a `Map`, or an array of pairs;
 * or they are in `headers` of what is given. Text in them stands for its UTF-8 bytes, as message libraries write it.
 */
export const messages: {
  /**
   * Writes the current headers into a message: text, or a `Buffer` where a value is no UTF-8. What the producer has set wins,
   * with its whole family. Outside of a request nothing is written.
   *
   * @returns the message
   * @throws {@link OnwardError} `unsupported_carrier`
   *
   * @example
   * ```js
   * await producer.send({ topic, messages: [{ value, headers: messages.inject({}) }] })            // kafkajs
   * channel.publish(exchange, key, content, { headers: messages.inject({}) })                      // amqplib
   * await queue.add('ratings', { product, headers: messages.inject({}) })                          // BullMQ
   * ```
   */
  inject<T extends object>(message: T, options?: MessageOptions): T

  /**
   * Captures the headers of a message, for {@link run}. Without headers, as several libraries give it, none.
   *
   * @throws {@link OnwardError} `unsupported_carrier`
   *
   * @example
   * ```js
   * await consumer.run({ eachMessage: ({ message }) => run(messages.extract(message.headers), () => handle(message)) })
   * ```
   */
  extract(message: object | null | undefined, options?: { propagator?: Propagator }): ForwardHeaders

  /** Tells header by header what `inject` would do to a message, and why. */
  explain(message?: object, options?: MessageOptions): ExplainRow[]
}

/** How a message takes headers. */
export interface MessageOptions {
  /** Whether credentials go into it: for a queue that only those read who may see them. */
  credentials?: boolean
}

/**
 * `dispatcher`, an `Agent`, `Pool` or other dispatcher of undici 6 or newer, whose requests carry the headers of the request
 * that is being handled: for programs that do not {@link instrument}. Each redirect and each retry is decided about by itself.
 *
 * @throws {@link OnwardError} `invalid_argument`
 *
 * @example
 * ```js
 * setGlobalDispatcher(onward.undici(new Agent()))
 * ```
 */
export function undici<D extends { dispatch(options: any, handler: any): boolean; compose(...interceptors: any[]): any }>(
  dispatcher: D
): ReturnType<D['compose']>

/**
 * From now on, every request that the global `fetch`, undici, `node:http`, `node:https`, sessions of `node:http2` and clients of
 * `@grpc/grpc-js` send while a request is handled carries its headers, as far as they may go to the destination. Calling it again
 * changes nothing.
 *
 * @throws {@link OnwardError} when the environment's policy has a mistake; `invalid_argument`
 */
export function instrument(options?: InstrumentOptions): void

/** What is instrumented beside the clients. */
export interface InstrumentOptions {
  /**
   * Whether every request that a server of `node:http`, `node:https` or `node:http2` gets has its headers in scope while it
   * is handled, without {@link propagate} or a framework's line: what `node --import onward/register` does.
   */
  servers?: boolean
}

/** Undoes {@link instrument}. */
export function uninstrument(): void
