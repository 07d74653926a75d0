import { createServer } from 'node:http'
import { RotaError } from '#base/errors.ts'
import { closeServer, listenAt, urlAt } from './listening.ts'
import type { Metrics } from './metrics.ts'

/**
 * Metrics of a program that has no node, on a port of this machine of their own: beside what patients reach, their changes would tell who withdrew when.
 * @throws ROTA-6512 when the port is taken
 */
export async function startMetricsServer(port: number, metrics: Metrics): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const listen = { host: '127.0.0.1', port }
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') return void response.writeHead(404).end()
    void metrics.text().then((text) => response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text))
  })
  const taken = (cause: NodeJS.ErrnoException): never => {
    throw new RotaError('ROTA-6512', { listen: `127.0.0.1:${port}`, reason: cause.code ?? 'unknown' }, cause)
  }
  const at = await listenAt(server, listen).catch(taken)
  return { url: `${urlAt({ ...listen, port: at })}/metrics`, stop: () => closeServer(server) }
}
