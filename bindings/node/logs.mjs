import logs from './logs.js'

export const { pinoMixin, winstonFormat } = logs
export default logs
