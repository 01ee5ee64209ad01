import opentelemetry from './opentelemetry.js'

export const { OnwardPropagator } = opentelemetry
export default opentelemetry
