import onward from './index.js'

export const {
  ForwardHeaders,
  OnwardError,
  Propagator,
  carry,
  current,
  defaultPropagator,
  diagnostics,
  explain,
  express,
  extract,
  fastify,
  getForwardHeaders,
  hapi,
  hono,
  instrument,
  koa,
  messages,
  propagate,
  run,
  setDefault,
  undici,
  uninstrument
} = onward
export default onward
