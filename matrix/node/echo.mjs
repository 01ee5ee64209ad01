// Where the calls arrive: notes the headers of each, answers in HTTP/1.1, HTTP/2 and gRPC, or sends the caller on.

import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'

import { OUTSIDE } from './clients/index.mjs'
import { message } from './ask.mjs'

// What HTTP/2 begins with: `PRI * HTTP/2.0`.
const PREFACE = 'PRI '

/** One call that is to arrive. */
export class Visit {
  #port

  constructor(number, port) {
    this.number = number
    this.#port = port
  }

  /** The call's URL at a host name or address. */
  url(host = '127.0.0.1') {
    return `http://${host}:${this.#port}/echo/${this.number}`
  }

  /** A URL in the mesh that redirects to the one outside of it. */
  redirect() {
    return `http://127.0.0.1:${this.#port}/away/${this.number}`
  }

  /** What the echo answers with. */
  answer() {
    return `echo ${this.number}`
  }
}

/** A server; `Echo.start` starts it. */
export class Echo {
  #listener = net.createServer({ noDelay: true }, (socket) => this.#connected(socket))
  #http1 = http.createServer((request, response) => this.#serve(request, response))
  #http2 = http2.createServer((request, response) => this.#serve(request, response))
  #sockets = new Set()
  #count = 0
  #seen = new Map()

  /** Starts one on loopback. */
  static async start() {
    const echo = new Echo()
    echo.#listener.listen(0, '127.0.0.1')
    await once(echo.#listener, 'listening')
    return echo
  }

  /** Stops it with the connections that clients have kept. */
  async close() {
    this.#listener.close()
    for (const socket of this.#sockets) socket.destroy()
    await once(this.#listener, 'close')
  }

  /** Expects a new call. */
  visit() {
    this.#count += 1
    return new Visit(this.#count, this.#listener.address().port)
  }

  /** The lines that arrived with this call, if it arrived. */
  arrived({ number }) {
    const lines = this.#seen.get(String(number))
    this.#seen.delete(String(number))
    return lines
  }

  #connected(socket) {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    // A client that is stopped may reset its connection.
    socket.on('error', () => {})
    socket.once('data', (first) => {
      socket.pause()
      socket.unshift(first)
      const isHttp2 = first.toString('latin1').startsWith(PREFACE)
      const server = isHttp2 ? this.#http2 : this.#http1
      server.emit('connection', socket)
      // A session of HTTP/2 reads by itself what is there.
      if (!isHttp2) socket.resume()
    })
  }

  async #serve(request, response) {
    for await (const _ of request);
    const [, what, number] = new URL(request.url, 'http://echo/').pathname.split('/')
    // A connection that is used again may be closed at the same moment. HTTP/2 knows no such header.
    if (request.httpVersionMajor === 1) response.setHeader('connection', 'close')
    if (what === 'away') {
      response.writeHead(302, { location: `http://${OUTSIDE}:${this.#listener.address().port}/echo/${number}` }).end()
      return
    }
    this.#seen.set(number, pairs(request.rawHeaders))
    const text = `echo ${number}`
    if (request.headers['content-type']?.startsWith('application/grpc')) {
      response.writeHead(200, { 'content-type': 'application/grpc' })
      response.addTrailers({ 'grpc-status': '0' })
      response.end(message(text))
    } else {
      response.writeHead(200, { 'content-type': 'text/plain' }).end(text)
    }
  }
}

function pairs(flat) {
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i].toLowerCase(), flat[2 * i + 1]])
}
