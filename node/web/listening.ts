import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { RotaError } from '#base/errors.ts'

export interface ListenAddress {
  readonly host: string
  /** 0 takes any free one. */
  readonly port: number
}

/** `127.0.0.1:8443`, `[::1]:8443`, or a port alone, which is one of this machine. @throws ROTA-6515 */
export function readListen(text: string): ListenAddress {
  const [, host = '127.0.0.1', port = ''] = /^(?:(\[[0-9a-f:]+\]|[\w.-]+):)?(\d{1,5})$/i.exec(text) ?? []
  if (port === '' || Number(port) > 65_535) throw new RotaError('ROTA-6515', { listen: text })
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
}

/** Listens there alone: no other process may share the port. @returns the port @throws the system's error, where the address is taken */
export const listenAt = (server: Server, { host, port }: ListenAddress): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', reject)
      resolve((server.address() as AddressInfo).port)
    })
  })

/** Ends what it was answering, too. */
export const closeServer = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })

/** As a browser on this machine calls it. */
export const urlAt = ({ host, port }: ListenAddress): string => `http://${host.includes(':') ? `[${host}]` : host}:${port}`
