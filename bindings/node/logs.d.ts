/**
 * The ids of the current request and its trace on log lines, as `request_id` and `trace_id`. Where there is no id, there is no
 * field; what a line has already stays.
 *
 * @packageDocumentation
 */

/** What is put on a line. */
export interface RequestIds {
  request_id?: string
  trace_id?: string
}

/**
 * Mixin for pino.
 *
 * @example
 * ```js
 * const log = pino({ mixin: pinoMixin })
 * ```
 */
export function pinoMixin(): RequestIds

/**
 * Format for winston.
 *
 * @example
 * ```js
 * const format = winston.format.combine(winstonFormat(), winston.format.json())
 * ```
 */
export function winstonFormat(): { transform<T extends object>(info: T): T & RequestIds }
