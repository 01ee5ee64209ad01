/**
 * Interceptors for `@grpc/grpc-js`, which is not loaded by this. `instrument()` covers every client without them.
 *
 * @packageDocumentation
 */

import type { ServerOptions } from './index.js'

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
