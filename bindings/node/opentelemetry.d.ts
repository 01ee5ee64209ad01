/**
 * A propagator for OpenTelemetry, whose API is not loaded by this. Beside an SDK nothing is needed but Onward itself; this is for
 * programs whose calls are to be made by OpenTelemetry's instrumentation alone.
 *
 * @packageDocumentation
 */

import type { Propagator } from './index.js'

/**
 * A `TextMapPropagator` that takes along what the others do not own: `x-request-id`, the session, the headers of other tracers.
 * It goes behind them in a `CompositePropagator`: what a carrier has already stays, with its whole family.
 *
 * Context and credentials go only where the client's span tells a destination in the mesh, by its attribute `url.full`.
 *
 * @throws OnwardError when the environment's policy has a mistake
 *
 * @example
 * ```js
 * const propagators = [new W3CTraceContextPropagator(), new W3CBaggagePropagator(), new OnwardPropagator()]
 * provider.register({ propagator: new CompositePropagator({ propagators }) })
 * ```
 */
export class OnwardPropagator {
  /** @param options - `propagator`: whose policy applies; the default one otherwise */
  constructor(options?: { propagator?: Propagator })

  /** Writes what came in with `context`, or else with the current request. */
  inject(context: any, carrier: any, setter: { set(carrier: any, key: string, value: string): void }): void

  /** Gives `context` with what `carrier` holds. */
  extract(context: any, carrier: any, getter: { keys(carrier: any): string[], get(carrier: any, key: string): undefined | string | string[] }): any

  /** The names that may be written; those of prefix rules are not known beforehand. */
  fields(): string[]
}
