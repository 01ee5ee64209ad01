// The two requests of the benchmarks, sent over a real connection, so that their strings are those of Node's parser.

import http from 'node:http'
import net from 'node:net'
import { once } from 'node:events'

/** As curl sends it through Envoy: 12 headers, 6 of them forwarded. */
export const S = [
  ['host', 'details:9080'],
  ['user-agent', 'curl/8.5.0'],
  ['accept', '*/*'],
  ['x-forwarded-for', '10.244.0.7'],
  ['x-forwarded-proto', 'http'],
  ['x-request-id', '9f5d1c3e-7b2a-9c41-8f6d-2e0b7a94c5d1'],
  ['x-envoy-expected-rq-timeout-ms', '15000'],
  ['x-b3-traceid', '463ac35c9f6413ad48485a3953bb6124'],
  ['x-b3-spanid', 'a2fb4a1d1a96d312'],
  ['x-b3-parentspanid', '0020000000000001'],
  ['x-b3-sampled', '1'],
  ['x-envoy-internal', 'true']
]

/** As a browser sends it through an Istio ingress: 32 headers, 12 of them forwarded. */
export const L = [
  ['host', 'productpage:9080'],
  ['user-agent', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36'],
  ['accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'],
  ['accept-encoding', 'gzip, deflate, br, zstd'],
  ['accept-language', 'en-US,en;q=0.9,de;q=0.8'],
  ['cache-control', 'no-cache'],
  ['pragma', 'no-cache'],
  ['dnt', '1'],
  ['priority', 'u=0, i'],
  ['referer', 'https://shop.example.com/productpage?u=normal'],
  ['sec-ch-ua', '"Chromium";v="131", "Not_A Brand";v="24"'],
  ['sec-ch-ua-mobile', '?0'],
  ['sec-ch-ua-platform', '"Linux"'],
  ['sec-fetch-dest', 'document'],
  ['sec-fetch-mode', 'navigate'],
  ['sec-fetch-site', 'same-origin'],
  ['sec-fetch-user', '?1'],
  ['upgrade-insecure-requests', '1'],
  ['cookie', 'session=eyJ1c2VyIjoiamFzb24ifQ.Zz8k1Q.5aYl0o9; theme=dark; locale=en'],
  ['authorization', 'Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJqYXNvbiIsImlzcyI6InNob3AifQ.c2lnbmF0dXJl'],
  ['end-user', 'jason'],
  ['x-forwarded-for', '203.0.113.9, 10.244.0.7'],
  ['x-forwarded-proto', 'https'],
  ['x-request-id', '9f5d1c3e-7b2a-9c41-8f6d-2e0b7a94c5d1'],
  ['x-envoy-attempt-count', '1'],
  ['x-b3-traceid', '463ac35c9f6413ad48485a3953bb6124'],
  ['x-b3-spanid', 'a2fb4a1d1a96d312'],
  ['x-b3-parentspanid', '0020000000000001'],
  ['x-b3-sampled', '1'],
  ['traceparent', '00-463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312-01'],
  ['tracestate', 'es=s:1'],
  ['baggage', 'tenant=acme,region=eu']
]

/** Requests as a server of `node:http` gets them, `count` of each kind, held open until `close` is called. */
export async function fixtures(count) {
  const requests = []
  const server = http.createServer((request, response) => {
    requests.push(request)
    response.end()
    if (requests.length === count * 2) server.emit('all')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = net.connect(server.address().port, '127.0.0.1')
  socket.resume()
  const done = once(server, 'all')
  for (const lines of [S, L]) {
    const text = `GET / HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
    for (let i = 0; i < count; i++) socket.write(text)
  }
  await done
  const close = () => {
    socket.destroy()
    server.close()
  }
  return { S: requests.slice(0, count), L: requests.slice(count), close }
}
