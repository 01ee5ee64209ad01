// The request that every check starts with, Bookinfo's headers, and what may arrive of it.

/** Bookinfo's headers, one of them twice, and one value that is not ASCII: text is Latin-1, one character a byte. */
const FORWARDED = [
  ['x-request-id', '7f6c1d4e-5a3b-4c2d-8e1f-0a9b8c7d6e5f'],
  ['x-ot-span-context', 'span-context=1'],
  ['x-datadog-trace-id', '1234567890'],
  ['x-datadog-parent-id', '987654321'],
  ['x-datadog-sampling-priority', '1'],
  ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
  ['tracestate', 'rojo=00f067aa0ba902b7'],
  ['tracestate', 'congo=t61rcWkgMzE'],
  ['x-cloud-trace-context', '105445aa7843bc8bf206b12000100000/1;o=1'],
  ['grpc-trace-bin', 'AAAK92UZFs1D3YRI6yEcgDGcAbetaXFpIDMxAgE'],
  ['user-agent', 'Mozilla/5.0 (X11; Linux x86_64)'],
  ['cookie', 'session=a b; user="jason"'],
  ['authorization', 'Bearer secret+/='],
  ['jwt', 'eyJhbGciOiJIUzI1NiJ9.e30.c2ln'],
  ['x-b3-traceid', '80f198ee56343ba864fe8b2a57d3eff7'],
  ['x-b3-spanid', 'e457b5a2e4d86bd1'],
  ['x-b3-parentspanid', '05e3ac9a4f6e3b90'],
  ['x-b3-sampled', '1'],
  ['x-b3-flags', '0'],
  ['sw8', '1-TRACEID-SEGID-3-PARENT-INST-EP-OAP'],
  ['end-user', 'jas\xc3\xb6n']
]

/** What is sent, in this order: the last one is a header that nobody forwards. */
export const LINES = [...FORWARDED, ['x-unknown', 'stays']]

const NAMES = new Set(LINES.map(([name]) => name))
// What stays in the mesh; the others are ids and sampling.
const INSIDE_ONLY = ['user-agent', 'cookie', 'authorization', 'jwt', 'end-user']
const [[, USER_AGENT]] = FORWARDED.filter(([name]) => name === 'user-agent')

/** What may arrive at the echo: the lines of a request, or undefined where no request may. */
export const Expected = {
  /** Every header, byte for byte. */
  ALL: FORWARDED,
  /** Trace headers only. */
  TRACE: without(FORWARDED, INSIDE_ONLY),
  /** Every header, but of the family that the program itself has set only what it has set. */
  CALLERS_OWN: [...without(FORWARDED, ['traceparent', 'tracestate']), ['tracestate', 'mine=1']],
  /** A request without any of the headers. */
  BARE: [],
  /** No request at all. */
  NO_REQUEST: undefined
}

/** The lines without those of some names. */
export function without(lines, names) {
  return lines.filter(([name]) => !names.includes(name))
}

/**
 * Of the lines that arrived those that can come from the inbound request. A client's own `user-agent` is not one of them,
 * unless there is a second. `pads` says that the client writes base64 with its padding.
 */
export function relevant(lines, pads = false) {
  const agents = lines.filter(([name]) => name === 'user-agent')
  const isForeign = agents.length === 1 && agents[0][1] !== USER_AGENT
  const own = lines.filter(([name]) => NAMES.has(name) && !(isForeign && name === 'user-agent'))
  return own.map(([name, value]) => [name, pads && name.endsWith('-bin') ? value.replace(/=+$/, '') : value])
}

/**
 * One value a name. Repeated lines arrive as lines, or joined with a comma, behind which Node itself and `Headers` write a
 * blank.
 *
 * @returns {Map<string, string>}
 */
export function joined(lines) {
  const values = new Map()
  for (const [name, value] of lines) values.set(name, values.has(name) ? `${values.get(name)},${value}` : value)
  return new Map([...values].map(([name, value]) => [name, value.replaceAll(', ', ',')]))
}
