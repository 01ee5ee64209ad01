/**
 * gRPC, by `@grpc/grpc-js`, which is not loaded by this: it takes what yours gives it.
 *
 * @packageDocumentation
 */

import type { ServerOptions } from './index.js'

/** The part of `@grpc/grpc-js` that is changed by {@link instrument}. */
export interface Grpc {
  readonly Channel: { prototype: any }
  readonly Server: { prototype: any }
}

/** What {@link instrument} covers beside the calls of every client. */
export interface InstrumentOptions {
  /** Whether every handler that is added to a server from now on is under `propagate`. */
  servers?: boolean
}

/**
 * From now on, every call of every client carries the headers of the request that is being handled, as far as they may go to
 * the channel's target. What the call and other interceptors have set wins. Calling it again changes nothing.
 *
 * @param grpc - the module that makes the clients: `require('@grpc/grpc-js')`
 * @throws OnwardError when the environment's policy has a mistake
 *
 * @example
 * ```js
 * const grpc = require('@grpc/grpc-js')
 * require('onward/grpc').instrument(grpc)
 * ```
 */
export function instrument(grpc: Grpc, options?: InstrumentOptions): void

/** Undoes {@link instrument}. */
export function uninstrument(grpc: Grpc): void

/**
 * Holds each call's headers in scope while its method runs, and takes and gives streams. Interceptors behind it are in scope
 * too.
 *
 * @throws OnwardError when the environment's policy has a mistake
 *
 * @example
 * ```js
 * const server = new grpc.Server({ interceptors: [serverInterceptor()] })
 * ```
 */
export function serverInterceptor(options?: ServerOptions): (method: any, call: any) => any

/**
 * Adds the current headers to every call of one client, as far as they may go to `target`. gRPC does not tell interceptors
 * where a client leads: `target` is what the client is made with. What a call has already wins.
 *
 * @example
 * ```js
 * const client = new Ratings('ratings:50051', credentials, { interceptors: [clientInterceptor('ratings:50051')] })
 * ```
 */
export function clientInterceptor(target: string): (options: any, nextCall: (options: any) => any) => any
