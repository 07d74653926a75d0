import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { RotaError } from '#base/errors.ts'
import { closeServer, type ListenAddress, listenAt, urlAt } from '#web/listening.ts'
import { type DeskParts, deskApp } from './desk-app.ts'

export interface DeskServer {
  /** As the browser calls it. */
  readonly url: string
  stop(): Promise<void>
}

export const isLoopback = (host: string): boolean => /^127(\.\d+){3}$/.test(host) || ['localhost', '::1', '[::1]'].includes(host)

/**
 * @param url as the browser calls the desk, where a proxy stands before it; null: as it listens
 * @throws ROTA-6711 when the address is taken, 6712 when passwords would cross a network in the clear
 */
export async function startDesk(listen: ListenAddress, url: string | null, partsAt: (url: URL) => DeskParts): Promise<DeskServer> {
  const given = url === null ? null : new URL(url)
  const local = isLoopback(listen.host) && isLoopback(given?.hostname ?? listen.host)
  if (given?.protocol !== 'https:' && !local) throw new RotaError('ROTA-6712', { url: given?.href ?? urlAt(listen) })
  let answer: ReturnType<typeof getRequestListener> | null = null
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 5_000, maxHeaderSize: 8_192 }, (request, response) => {
    if (answer === null) response.writeHead(503).end()
    else void answer(request, response)
  })
  server.maxConnections = 128
  const port = await listenAt(server, listen).catch(taken(listen))
  const at = given ?? new URL(urlAt({ ...listen, port }))
  const app = deskApp(partsAt(at))
  answer = getRequestListener((request) => app.fetch(request))
  return { url: at.origin, stop: () => closeServer(server) }
}

const taken =
  ({ host, port }: ListenAddress) =>
  (cause: NodeJS.ErrnoException): never => {
    throw new RotaError('ROTA-6711', { listen: `${host}:${port}`, reason: cause.code ?? 'unknown' }, cause)
  }
