'use strict'

// The ways in which Bookinfo's ratings misbehave on purpose, by SERVICE_VERSION. Each exists for one mesh exercise:
// retries, timeouts, outlier detection, liveness probes.

const MINUTE_MS = 60_000
const DELAY_MS = 7_000

/**
 * @param {string | undefined} version `v-faulty`, `v-delayed`, `v-unavailable`, `v-unhealthy`; any other never misbehaves
 * @param {() => number} random uniform in [0, 1)
 * @returns {{ healthy: () => boolean, next: () => { unavailable: boolean, delayMs: number }, stop: () => void }}
 *   `next` says what happens to one request for ratings; `stop` ends the timers
 */
function createFaults(version, random = Math.random) {
  let up = true
  const period = { 'v-unavailable': MINUTE_MS, 'v-unhealthy': 15 * MINUTE_MS }[version]
  const timer = period === undefined ? undefined : setInterval(() => (up = !up), period)
  // The toggle alone is no reason to stay alive.
  timer?.unref?.()

  return {
    healthy: () => up || version !== 'v-unhealthy',
    next: () => ({
      unavailable: !up || (version === 'v-faulty' && random() < 0.5),
      delayMs: version === 'v-delayed' && random() < 0.5 ? DELAY_MS : 0
    }),
    stop: () => clearInterval(timer)
  }
}

module.exports = { createFaults }
