export * from './opentelemetry.js'
import * as opentelemetry from './opentelemetry.js'
export default opentelemetry
