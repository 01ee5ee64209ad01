// Onward is started, then OpenTelemetry.

import * as onward from '../index.mjs'
import { besideInstrumentation, instrumented, provider } from './tracing.mjs'

provider.register()
onward.instrument()
instrumented()
besideInstrumentation()
