export * from './index.js'
import * as onward from './index.js'
export default onward
