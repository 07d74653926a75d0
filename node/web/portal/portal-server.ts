import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { RotaError } from '#base/errors.ts'
import { closeServer, type ListenAddress, listenAt, urlAt } from '#web/listening.ts'
import { portalApp } from './portal-app.ts'
import type { PortalParts } from './portal-parts.ts'

export interface PortalServer {
  /** As this machine calls it. */
  readonly url: string
  stop(): Promise<void>
}

/**
 * Serves patients' pages and programs. Where it listens on more than this machine, a proxy with a certificate belongs before it.
 * @throws ROTA-6512 when the address is taken
 */
export async function startPortalServer(listen: ListenAddress, parts: PortalParts): Promise<PortalServer> {
  const app = portalApp(parts)
  const answer = getRequestListener((request, env) => app.fetch(request, env))
  const limits = { requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 5_000, maxHeaderSize: 16_384 }
  const server = createServer(limits, (request, response) => void answer(request, response))
  server.maxConnections = 1_024
  const port = await listenAt(server, listen).catch(taken(listen))
  return { url: urlAt({ ...listen, port }), stop: () => closeServer(server) }
}

const taken =
  ({ host, port }: ListenAddress) =>
  (cause: NodeJS.ErrnoException): never => {
    throw new RotaError('ROTA-6512', { listen: `${host}:${port}`, reason: cause.code ?? 'unknown' }, cause)
  }
