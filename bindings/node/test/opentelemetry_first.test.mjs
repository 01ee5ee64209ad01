// OpenTelemetry is started, then Onward.

import * as onward from '../index.mjs'
import { besideInstrumentation, instrumented, provider } from './tracing.mjs'

provider.register()
instrumented()
onward.instrument()
besideInstrumentation()
