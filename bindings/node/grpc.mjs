import grpc from './grpc.js'

export const { clientInterceptor, instrument, serverInterceptor, uninstrument } = grpc
export default grpc
