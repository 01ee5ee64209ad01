import grpc from './grpc.js'

export const { clientInterceptor, serverInterceptor } = grpc
export default grpc
