// Spans as the sidecars report them (Zipkin v2, 128-bit ids, no shared spans), all written out.

const START = 1_780_000_000_000_000;

/** One span. `at` and `takes` are microseconds; `at` counts from the start of the fixture. */
export function span(traceId, id, parentId, kind, service, name, at, takes, tags = {}) {
  return {
    traceId, id, parentId, kind, name, timestamp: START + at, duration: takes,
    localEndpoint: { serviceName: service, ipv4: "127.0.0.1", port: 15001 },
    tags: { component: "proxy", "http.method": "GET", "http.status_code": "200", ...tags },
  };
}

/** A request to Bookinfo that came out whole: gateway -> productpage -> (details, reviews -> ratings). */
export const WHOLE = "4f1c2a6b9d8e47a0b35c1d2e3f405162";
export const whole = [
  span(WHOLE, "a000000000000001", undefined, "CLIENT", "gateway", "productpage:9080", 0, 40_000, { "guid:x-request-id": "8a7f0c11-0000-9000-8000-000000000001" }),
  span(WHOLE, "a000000000000002", "a000000000000001", "SERVER", "productpage", "productpage:9080", 1_000, 38_000),
  // Reported out of order on purpose.
  span(WHOLE, "a000000000000005", "a000000000000002", "CLIENT", "productpage", "reviews:9080", 14_000, 22_000),
  span(WHOLE, "a000000000000003", "a000000000000002", "CLIENT", "productpage", "details:9080", 3_000, 8_000),
  span(WHOLE, "a000000000000004", "a000000000000003", "SERVER", "details", "details:9080", 4_000, 6_000),
  span(WHOLE, "a000000000000006", "a000000000000005", "SERVER", "reviews", "reviews:9080", 15_000, 20_000),
  span(WHOLE, "a000000000000007", "a000000000000006", "CLIENT", "reviews", "ratings:9080", 20_000, 9_000),
  span(WHOLE, "a000000000000008", "a000000000000007", "SERVER", "ratings", "ratings:9080", 21_000, 7_000, { "peer.note": "leaf" }),
];

/** The rows of that waterfall: depth, service, direction, operation, duration. */
export const WHOLE_ROWS = [
  [1, "gateway", "egress", "productpage:9080", "40 ms"],
  [2, "productpage", "ingress", "productpage:9080", "38 ms"],
  [3, "productpage", "egress", "details:9080", "8 ms"],
  [4, "details", "ingress", "details:9080", "6 ms"],
  [3, "productpage", "egress", "reviews:9080", "22 ms"],
  [4, "reviews", "ingress", "reviews:9080", "20 ms"],
  [5, "reviews", "egress", "ratings:9080", "9 ms"],
  [6, "ratings", "ingress", "ratings:9080", "7 ms"],
];

/** A request in two pieces: reviews did not forward its headers, so its call to ratings began a new trace. */
export const FRONT = "5a00000000000000000000000000beef";
export const TAIL = "5b00000000000000000000000000cafe";
const LATER = 2_000_000;
export const broken = [
  span(FRONT, "b000000000000001", undefined, "CLIENT", "gateway", "reviews:9080", LATER, 30_000),
  span(FRONT, "b000000000000002", "b000000000000001", "SERVER", "reviews", "reviews:9080", LATER + 1_000, 28_000),
  span(TAIL, "b000000000000003", undefined, "CLIENT", "reviews", "ratings:9080", LATER + 5_000, 9_000),
  span(TAIL, "b000000000000004", "b000000000000003", "SERVER", "ratings", "ratings:9080", LATER + 6_000, 7_000),
];

/** A trace with a span whose parent nobody reported. */
export const ORPHANED = "5c00000000000000000000000000dead";
export const orphaned = [
  span(ORPHANED, "c000000000000001", undefined, "CLIENT", "gateway", "details:9080", 3_000_000, 10_000),
  span(ORPHANED, "c000000000000002", "c000000000000001", "SERVER", "details", "details:9080", 3_001_000, 8_000),
  span(ORPHANED, "c000000000000003", "deadbeefdeadbeef", "CLIENT", "details", "books:443", 3_002_000, 4_000),
];

/** What an attacker would send: markup wherever a span has text. */
export const HOSTILE = "5d00000000000000000000000000f00d";
export const MARKUP = "<img src=x onerror=\"globalThis.__owned = true\"><script>globalThis.__owned = true</script>";
export const hostile = [{
  ...span(HOSTILE, "d000000000000001", undefined, "SERVER", MARKUP.toLowerCase(), MARKUP, 4_000_000, 5_000, {
    "http.url": MARKUP, [MARKUP]: "javascript:alert(1)", error: "true",
  }),
  annotations: [{ timestamp: START + 4_001_000, value: MARKUP }],
  remoteEndpoint: { serviceName: MARKUP, ipv4: MARKUP },
}];
