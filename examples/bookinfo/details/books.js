'use strict'

// The external book service (Google Books): what `ENABLE_EXTERNAL_BOOK_SERVICE=true` asks instead of the built-in data.

const http = require('node:http')
const https = require('node:https')

const ISBN = '0486424618'
const TIMEOUT_MS = 5000
const MAX_BYTES = 1024 * 1024

/**
 * Where the volume is asked for. `DO_NOT_ENCRYPT=true` speaks plain HTTP, so that a sidecar can see the request and
 * originate TLS itself. `EXTERNAL_BOOK_SERVICE_HOST` (`host[:port]`) names another host than Google's.
 *
 * @param {Record<string, string | undefined>} env
 * @returns {URL}
 */
function volumesUrl(env) {
  const scheme = env.DO_NOT_ENCRYPT === 'true' ? 'http' : 'https'
  const host = env.EXTERNAL_BOOK_SERVICE_HOST || 'www.googleapis.com'
  return new URL(`${scheme}://${host}/books/v1/volumes?q=isbn:${ISBN}`)
}

/**
 * Asks for the volume and turns it into Bookinfo's fields.
 *
 * @param {URL} url
 * @param {Record<string, string | string[]>} headers the headers that go along
 * @returns {Promise<object | undefined>} the details, without the id; undefined when the service cannot be reached,
 *   answers no 200, or knows no such book
 */
async function fetchVolume(url, headers) {
  try {
    return details(JSON.parse(await get(url, headers)).items[0].volumeInfo)
  } catch (error) {
    console.error(`details: ${url.host}: ${error.message}`)
    return undefined
  }
}

function details(volume) {
  return {
    author: volume.authors?.[0],
    year: volume.publishedDate,
    type: volume.printType === 'BOOK' ? 'paperback' : 'unknown',
    pages: volume.pageCount,
    publisher: volume.publisher,
    language: volume.language === 'en' ? 'English' : 'unknown',
    'ISBN-10': isbn(volume, 'ISBN_10'),
    'ISBN-13': isbn(volume, 'ISBN_13')
  }
}

function isbn(volume, type) {
  return volume.industryIdentifiers?.find((each) => each.type === type)?.identifier
}

function get(url, headers) {
  const client = url.protocol === 'https:' ? https : http
  return new Promise((resolve, reject) => {
    const request = client.get(url, { headers, timeout: TIMEOUT_MS }, (response) => {
      const chunks = []
      let size = 0
      response.on('data', (chunk) => {
        size += chunk.length
        if (size > MAX_BYTES) request.destroy(new Error(`answer is longer than ${MAX_BYTES} bytes`))
        else chunks.push(chunk)
      })
      response.on('error', reject)
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString('utf8'))
        else reject(new Error(`status ${response.statusCode}`))
      })
    })
    request.on('timeout', () => request.destroy(new Error(`no answer in ${TIMEOUT_MS} ms`)))
    request.on('error', reject)
  })
}

module.exports = { fetchVolume, volumesUrl }
