// Compiled, not run: the types that a user meets first.

import { createServer } from 'node:http'
import { getForwardHeaders, OnwardError, propagate, Propagator } from 'onward'
import { clientInterceptor, serverInterceptor } from 'onward/grpc'
import { pinoMixin, winstonFormat, type RequestIds } from 'onward/logs'
import { OnwardPropagator } from 'onward/opentelemetry'
import 'onward/register'

const propagator: Propagator = Propagator.fromEnv({ ONWARD_PRESETS: 'istio,xray' })
const headers = getForwardHeaders({ 'x-request-id': '7f6c' }, 'http://reviews:9080/')
void fetch('http://reviews:9080/reviews/0', { headers })

createServer(propagate(async (req, res) => {
  const forwarded = propagator.extract(req)
  void forwarded
  res.end()
}))

try {
  Propagator.fromEnv({ ONWARD_HEADERS: '+host' })
} catch (error) {
  if (error instanceof OnwardError) {
    const code: string = error.code
    void code
  }
}

void [serverInterceptor(), clientInterceptor('ratings:50051')]
const ids: RequestIds = pinoMixin()
const line: { level: string; request_id?: string } = winstonFormat().transform({ level: 'info' })
void [ids, line]
const fields: string[] = new OnwardPropagator({ propagator }).fields()
void fields
// @ts-expect-error a client leads somewhere
clientInterceptor()

// @ts-expect-error a number is no carrier
getForwardHeaders(1)
