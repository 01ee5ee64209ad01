import onward from './index.js'

export const {
  ForwardHeaders,
  OnwardError,
  Propagator,
  carry,
  current,
  defaultPropagator,
  explain,
  express,
  extract,
  getForwardHeaders,
  instrument,
  propagate,
  run,
  setDefault,
  uninstrument
} = onward
export default onward
