// The servers of the matrix: one file for each framework, one `Server` for each way to run it.
//
// To add one, write its file with a list `SERVERS`, and put that into `ALL`. What a server is stands in `server.mjs`.

import * as express from './express.mjs'
import * as fastify from './fastify.mjs'
import * as grpc from './grpc.mjs'
import * as hapi from './hapi.mjs'
import * as hono from './hono.mjs'
import * as http from './http.mjs'
import * as http2 from './http2.mjs'
import * as koa from './koa.mjs'
import * as nest from './nest.mjs'

/**
 * All of them, in the order of the table.
 *
 * @type {import('./server.mjs').Server[]}
 */
export const ALL = [
  ...http.SERVERS,
  ...express.SERVERS,
  ...fastify.SERVERS,
  ...koa.SERVERS,
  ...hapi.SERVERS,
  ...nest.SERVERS,
  ...hono.SERVERS,
  ...http2.SERVERS,
  ...grpc.SERVERS
]
