export * from './logs.js'
import * as logs from './logs.js'
export default logs
