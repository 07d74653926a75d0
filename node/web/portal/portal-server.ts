import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { RotaError } from '#base/errors.ts'
import { portalApp } from './portal-app.ts'
import type { PortalParts } from './portal-parts.ts'

export interface PortalServer {
  /** As this machine calls it. */
  readonly url: string
  stop(): Promise<void>
}

export interface PortalListen {
  readonly host: string
  /** 0 takes any free one. */
  readonly port: number
}

/** @throws ROTA-6515 */
export function readPortalListen(text: string): PortalListen {
  const [, host, port = ''] = /^(\[[0-9a-fA-F:]+\]|[\w.-]+):(\d{1,5})$/.exec(text) ?? []
  if (host === undefined || Number(port) > 65_535) throw new RotaError('ROTA-6515', { listen: text })
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
}

/**
 * Serves patients' pages and programs. Where it listens on more than this machine, a proxy with a certificate belongs before it.
 * @throws ROTA-6512 when the address is taken
 */
export async function startPortalServer({ host, port }: PortalListen, parts: PortalParts): Promise<PortalServer> {
  const app = portalApp(parts)
  const answer = getRequestListener((request, env) => app.fetch(request, env))
  const limits = { requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 5_000, maxHeaderSize: 16_384 }
  const server = createServer(limits, (request, response) => void answer(request, response))
  server.maxConnections = 1_024
  await listen(server, host, port)
  const bound = (server.address() as AddressInfo).port
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`, stop: () => close(server) }
}

const listen = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const refuse = (cause: NodeJS.ErrnoException) => reject(new RotaError('ROTA-6512', { listen: `${host}:${port}`, reason: cause.code ?? 'unknown' }, cause))
    server.once('error', refuse)
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', refuse)
      resolve()
    })
  })

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
