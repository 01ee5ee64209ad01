// node:http: a handler is all there is to it, so `propagate` is the one line too.

import http from 'node:http'
import busboy from 'busboy'
import * as onward from 'onward'

import { listening, streamed, target } from './server.mjs'

/** A listener for HTTP/1.1, and for HTTP/2 with the same API. */
export function listener(call) {
  const handler = async (request, response) => {
    const [, , kind] = new URL(request.url, 'http://service/').pathname.split('/')
    const answer = async (to) => response.end(await call(to))
    if (kind === 'body') return onBody(request, (text) => answer(JSON.parse(text).to))
    if (kind === 'upload') return onUpload(request, answer)
    if (kind === 'finished') return response.on('finish', () => call(target(request.url))).end('later')
    if (kind === 'streamed') return streamed(() => call(target(request.url))).pipe(response)
    if (request.url.startsWith('/explicit')) return response.end(JSON.stringify(onward.getForwardHeaders(request)))
    return answer(target(request.url))
  }
  const covered = onward.propagate(handler)
  return (request, response) => (request.url.startsWith('/bare') ? handler : covered)(request, response)
}

function onBody(request, done) {
  let text = ''
  request.setEncoding('utf8').on('data', (piece) => {
    text += piece
  }).on('end', () => done(text))
}

function onUpload(request, done) {
  const fields = {}
  const form = busboy({ headers: request.headers })
  form.on('file', (name, file) => file.resume())
  form.on('field', (name, value) => {
    fields[name] = value
  })
  form.on('close', () => done(fields.to))
  request.pipe(form)
}

export const SERVERS = [{ name: 'node:http', start: (call) => listening(http.createServer(listener(call))) }]
