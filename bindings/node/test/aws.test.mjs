// The AWS SDK: it signs its requests, which are left alone.

import assert from 'node:assert/strict'
import http from 'node:http'
import test from 'node:test'
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3'

import * as onward from '../index.mjs'
import { linesOf, listen, valuesOf } from './servers.mjs'

const INBOUND = { 'x-request-id': 'a-1', 'x-amzn-trace-id': 'Root=1-5759e988-bd862e3fe1be46a994272793', 'cookie': 'session=secret', 'user-agent': 'Mozilla/5.0' }
const propagator = new onward.Propagator({ presets: ['istio', 'xray'] })

test('a request of the S3 client, which signs it, goes out as it was made; one beside it carries the headers', async (t) => {
  onward.instrument()
  t.after(onward.uninstrument)
  const visits = []
  const port = await listen(t, http.createServer((request, response) => {
    visits.push(linesOf(request))
    response.end('x')
  }))
  const client = new S3Client({
    region: 'eu-west-1',
    endpoint: `http://localhost:${port}`,
    forcePathStyle: true,
    credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' }
  })
  t.after(() => client.destroy())
  const get = () => client.send(new GetObjectCommand({ Bucket: 'ratings', Key: '0' }))
  await onward.run(propagator.extract(INBOUND), async () => {
    await get()
    await fetch(`http://localhost:${port}/`)
  })
  await get()
  const [signed, beside, outside] = visits
  assert.match(valuesOf(signed, 'authorization').join(), /^AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE\//)
  // Of both only what AWS's client makes anew each time differs.
  assert.deepEqual(signed.map(([name]) => name), outside.map(([name]) => name))
  assert.deepEqual(valuesOf(signed, 'user-agent'), valuesOf(outside, 'user-agent'))
  for (const name of ['x-request-id', 'x-amzn-trace-id', 'cookie']) {
    assert.deepEqual(valuesOf(signed, name), [], name)
    assert.deepEqual(valuesOf(beside, name), [INBOUND[name]], name)
  }
})
