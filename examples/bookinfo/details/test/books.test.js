'use strict'

// Details asking the external book service, which is a real HTTP server on loopback here.

const assert = require('node:assert/strict')
const dns = require('node:dns')
const { once } = require('node:events')
const http = require('node:http')
const test = require('node:test')
const onward = require('onward')
const details = require('../details')
const explicit = require('../explicit')

const FORMS = {
  'by hand': { createServer: explicit.createServer },
  'with no line of Onward, registered': { createServer: details.createServer, registered: true }
}

// The 20 headers of Bookinfo's details service, in its order, each with a value that a copy could spoil.
const BOOKINFO = [
  ['x-request-id', '7e5c7fd2-6f4f-9f2d-8a65-0a4c3e6f1d21'],
  ['x-ot-span-context', 'EhQJwrlBaJq8fCURtVpOCHyN7BIiAAAA+/=='],
  ['x-datadog-trace-id', '11803532876627986230'],
  ['x-datadog-parent-id', '67667974448284343'],
  ['x-datadog-sampling-priority', '-1'],
  ['traceparent', '00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01'],
  ['tracestate', 'rojo=00f067aa0ba902b7,  congo=t61rcWkgMzE'],
  ['x-cloud-trace-context', '105445aa7843bc8bf206b12000100000/1;o=1'],
  ['grpc-trace-bin', 'AABL+S81d7NNpqPOkp0ADkc2ATTwZ6oLqQK3AgE'],
  ['x-b3-traceid', '463ac35c9f6413ad'],
  ['x-b3-spanid', 'A2FB4A1D1A96D312'],
  ['x-b3-parentspanid', '0020000000000001'],
  ['x-b3-sampled', 'true'],
  ['x-b3-flags', '1'],
  ['sw8', '1-TRACE-SEGMENT-3-U0VSVklDRQ==-SU5TVEFOQ0U=-L2VuZA==-cGVlcjo4MA=='],
  ['end-user', 'jos\u00e9'],
  ['user-agent', 'Mozilla/5.0 (X11;\tLinux)'],
  ['cookie', 'session=eyJ1c2VyIjoiamFzb24ifQ.Z; a="b, c"'],
  ['authorization', 'Bearer aa.bb.cc=='],
  ['jwt', 'aaa.bbb.ccc']
]
const KEPT_IN_THE_MESH = ['end-user', 'user-agent', 'cookie', 'authorization', 'jwt']

const VOLUMES = JSON.stringify({
  items: [
    {
      volumeInfo: {
        authors: ['William Shakespeare', 'Somebody Else'],
        publishedDate: '2002',
        printType: 'BOOK',
        pageCount: 80,
        publisher: 'Courier Corporation',
        language: 'en',
        industryIdentifiers: [
          { type: 'ISBN_13', identifier: '9780486424613' },
          { type: 'ISBN_10', identifier: '0486424618' }
        ]
      }
    }
  ]
})

/** A stub book service, and details in front of it that knows it by the name `host`. */
async function start(t, options = {}) {
  const { form = FORMS['by hand'], host = '127.0.0.1', env = {}, status = 200, body = VOLUMES } = options
  if (form.registered) {
    onward.instrument({ servers: true })
    t.after(() => onward.uninstrument())
  }
  const seen = []
  const books = http.createServer((req, res) => {
    seen.push({ url: req.url, headers: pairs(req.rawHeaders) })
    res.writeHead(status).end(body)
  })
  books.listen(0, '127.0.0.1')
  await once(books, 'listening')
  const service = form.createServer({
    ENABLE_EXTERNAL_BOOK_SERVICE: 'true',
    DO_NOT_ENCRYPT: 'true',
    EXTERNAL_BOOK_SERVICE_HOST: `${host}:${books.address().port}`,
    ...env
  })
  service.listen(0, '127.0.0.1')
  await once(service, 'listening')
  t.after(() => {
    service.close()
    books.close()
  })
  return { seen, port: service.address().port }
}

function pairs(raw) {
  const result = []
  for (let i = 0; i < raw.length; i += 2) result.push([raw[i].toLowerCase(), raw[i + 1]])
  return result
}

/** node:http and not fetch: fetch refuses or rewrites some of these headers. */
async function get(port, headers = []) {
  const lines = [['host', 'details:9080'], ...headers]
  const request = http.get({ host: '127.0.0.1', port, path: '/details/0', headers: lines.flat(), agent: false })
  const [response] = await once(request, 'response')
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  return [response.statusCode, text]
}

const withoutClientHeaders = (headers) => headers.filter(([name]) => name !== 'host' && name !== 'connection')

test('the volume of the external book service becomes the details', async (t) => {
  const { seen, port } = await start(t)
  assert.deepEqual(await get(port), [
    200,
    '{"id":0,"author":"William Shakespeare","year":"2002","type":"paperback","pages":80,' +
      '"publisher":"Courier Corporation","language":"English","ISBN-10":"0486424618","ISBN-13":"9780486424613"}'
  ])
  assert.equal(seen[0].url, '/books/v1/volumes?q=isbn:0486424618')
})

test('a book service that fails or makes no sense is a 502', async (t) => {
  const answer = [502, '{"error":"the external book service is currently unavailable"}']
  for (const stub of [{ status: 500 }, { body: 'no JSON' }, { body: '{"items":[]}' }, { body: '{"items":[{}]}' }]) {
    const { port } = await start(t, stub)
    assert.deepEqual(await get(port), answer, JSON.stringify(stub))
  }
})

test('it is asked over HTTPS unless told otherwise', async (t) => {
  // The stub speaks plain HTTP, so a TLS handshake with it fails.
  const { seen, port } = await start(t, { env: { DO_NOT_ENCRYPT: undefined } })
  assert.equal((await get(port))[0], 502)
  assert.deepEqual(seen, [])
})

for (const [name, form] of Object.entries(FORMS)) {
  test(`${name}: inside the mesh all of the Bookinfo headers arrive byte for byte`, async (t) => {
    const { seen, port } = await start(t, { form })
    assert.equal((await get(port, [...BOOKINFO, ['x-not-forwarded', '1']]))[0], 200)
    assert.deepEqual(withoutClientHeaders(seen[0].headers), BOOKINFO)
  })

  test(`${name}: outside the mesh only trace headers arrive, no credential and no user`, async (t) => {
    const { seen, port } = await start(t, { form, host: 'books.example.com' })
    t.mock.method(dns, 'lookup', (_host, options, done) =>
      options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)
    )
    assert.equal((await get(port, BOOKINFO))[0], 200)
    assert.deepEqual(
      withoutClientHeaders(seen[0].headers),
      BOOKINFO.filter(([name]) => !KEPT_IN_THE_MESH.includes(name))
    )
  })
}

test("with the demo's forwarding off nothing arrives", async (t) => {
  const { seen, port } = await start(t, { env: { ONWARD_DEMO_FORWARDING: 'off' } })
  assert.equal((await get(port, BOOKINFO))[0], 200)
  assert.deepEqual(withoutClientHeaders(seen[0].headers), [])
})

test('without Onward nothing arrives either', async (t) => {
  const { seen, port } = await start(t, { form: { createServer: details.createServer } })
  assert.equal((await get(port, BOOKINFO))[0], 200)
  assert.deepEqual(withoutClientHeaders(seen[0].headers), [])
})
