// Real servers on loopback, on ports that the system chooses, and what was sent to them.

import http from 'node:http'
import net from 'node:net'
import { once } from 'node:events'

/** Starts `server`, and stops it when the test `t` ends. Answers its port. */
export async function listen(t, server) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => stop(server))
  return server.address().port
}

export function stop(server) {
  server.closeAllConnections?.()
  return new Promise((resolve) => server.close(resolve))
}

/** A port that nobody listens on, for a program that cannot say which one it took. */
export async function freePort() {
  const probe = net.createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  await stop(probe)
  return port
}

/** A service that answers with the header lines it got. */
export function echo() {
  return http.createServer((request, response) => {
    request.resume()
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(linesOf(request)))
  })
}

/** A proxy for plain requests and for tunnels, and what it was asked. */
export async function proxy(t) {
  const asked = []
  const sockets = []
  // The server would wait for them.
  t.after(() => sockets.forEach((socket) => socket.destroy()))
  const server = http.createServer((request, response) => {
    asked.push([request.method, request.url, linesOf(request)])
    response.end('[]')
  })
  server.on('connect', (request, socket) => {
    asked.push([request.method, request.url, linesOf(request)])
    const [host, port] = request.url.split(':')
    const upstream = net.connect(port, host)
    sockets.push(socket, upstream)
    for (const [one, other] of [[socket, upstream], [upstream, socket]]) one.on('error', () => other.destroy()).pipe(other)
    socket.write('HTTP/1.1 200 OK\r\n\r\n')
  })
  return { asked, uri: `http://127.0.0.1:${await listen(t, server)}` }
}

/** The header lines of a request, as they came. */
export function linesOf({ rawHeaders }) {
  return Array.from({ length: rawHeaders.length / 2 }, (_, i) => [rawHeaders[2 * i].toLowerCase(), rawHeaders[2 * i + 1]])
}

/** The values of `name` among lines, in order. */
export const valuesOf = (lines, name) => lines.filter(([other]) => other === name).map(([, value]) => value)

/** Sends each list of lines as one request over one real connection, which stays open until the test `t` ends; gives the requests as Node's parser made them. */
export async function parsedRequests(t, lists, options = {}) {
  const requests = []
  const server = http.createServer({ maxHeaderSize: 65536, ...options }, (request, response) => {
    requests.push(request)
    // Answered one after another, so that the connection, and the parser on it, stay.
    response.end()
    if (requests.length === lists.length) server.emit('all')
  })
  server.maxHeadersCount = 0
  server.keepAliveTimeout = 0
  const port = await listen(t, server)
  const socket = net.connect(port, '127.0.0.1')
  socket.resume()
  // Anything else is for the parser to refuse, and for this to report.
  server.on('clientError', (error) => server.emit('error', error))
  const done = once(server, 'all')
  for (const lines of lists) {
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
    const host = lines.some(([name]) => name.toLowerCase() === 'host') ? '' : 'host: service\r\n'
    socket.write(Buffer.from(`GET / HTTP/1.1\r\n${host}${head}\r\n`, 'latin1'))
  }
  await done
  return requests
}
