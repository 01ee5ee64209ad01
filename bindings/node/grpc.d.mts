export * from './grpc.js'
import * as grpc from './grpc.js'
export default grpc
