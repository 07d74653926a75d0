import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

/** TCP payload of this process since start: to the chain's endpoint, and all else (other members). */
export interface WireBytes {
  readonly chainIn: number
  readonly chainOut: number
  readonly peersIn: number
  readonly peersOut: number
}

/** Counts at the sockets themselves, so that nothing which the product does not count is left out. Headers of TCP and IP are not in it. */
export function meterWire(chainPort: number): { read(): WireBytes } {
  const open = new Set<Socket>()
  const total = { chainIn: 0, chainOut: 0, peersIn: 0, peersOut: 0 }
  const add = (into: typeof total, socket: Socket): void => {
    const chain = portOf(socket) === chainPort
    into[chain ? 'chainIn' : 'peersIn'] += socket.bytesRead
    into[chain ? 'chainOut' : 'peersOut'] += socket.bytesWritten
  }
  const watch = (message: unknown): void => {
    const { socket } = message as { socket: Socket }
    open.add(socket)
    socket.once('connect', () => ports.set(socket, socket.remotePort ?? 0))
    socket.once('close', () => {
      open.delete(socket)
      add(total, socket)
    })
  }
  subscribe('net.client.socket', watch)
  subscribe('net.server.socket', watch)
  return {
    read() {
      const now = { ...total }
      for (const socket of open) add(now, socket)
      return now
    },
  }
}

/** A closed socket no longer knows its port. */
const ports = new WeakMap<Socket, number>()
const portOf = (socket: Socket): number => ports.get(socket) ?? socket.remotePort ?? 0
