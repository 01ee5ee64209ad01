// A service of Express, which calls by fetch. It knows nothing of OpenTelemetry and nothing of Onward.

'use strict'

const express = require('express')

const { HOST, PORT, NEXT_HOSTNAME, NEXT_SERVICE_PORT } = process.env

const app = express()
app.get('/health', (request, response) => response.end())
app.get('/page', async (request, response) => {
  const next = await fetch(`http://${NEXT_HOSTNAME}:${NEXT_SERVICE_PORT}/page`)
  response.send(await next.text())
})
app.listen(Number(PORT), HOST)
