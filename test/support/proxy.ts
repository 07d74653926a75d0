import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/**
 * How a line is just now:
 *   open      passes everything on
 *   cut       connections end at once, new ones are refused: a router that is gone
 *   swallows  accepts, and what is sent goes nowhere: half-open. Once healed, connections that lost bytes end
 *   stalls    accepts, and what is sent waits: packets are lost and sent again. Once healed, it goes on where it stood
 */
export type LineState = 'open' | 'cut' | 'swallows' | 'stalls'

/** What lies between two ends. Several connections may share one: they then share its rate. */
export class Line {
  readonly #listeners = new Set<() => void>()
  readonly #freeAtMs = [0, 0]
  #state: LineState = 'open'
  /** One way. */
  delayMs: number
  /** Each way. */
  bytesPerSecond: number
  /** Bytes passed on, both ways. */
  bytes = 0

  constructor({ delayMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY }: { delayMs?: number; bytesPerSecond?: number } = {}) {
    this.delayMs = delayMs
    this.bytesPerSecond = bytesPerSecond
  }

  get state(): LineState {
    return this.#state
  }

  become(state: LineState): void {
    this.#state = state
    for (const listener of this.#listeners) listener()
  }

  /** @returns how to stop */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** How long a piece sent now is on its way, behind those sent before it. */
  takesMs(size: number, way: 0 | 1): number {
    const now = performance.now()
    const sent = Math.max(now, this.#freeAtMs[way] as number) + (size / this.bytesPerSecond) * 1000
    this.#freeAtMs[way] = sent
    return sent - now + this.delayMs
  }
}

export interface Door {
  readonly port: number
  stop(): Promise<void>
}

/**
 * Stands before a port of this machine.
 * @param lineOf the line to a caller, known by its address: callers are told apart when each calls from a loopback address of its own
 */
export async function openProxy(targetPort: number, lineOf: (caller: string) => Line): Promise<Door> {
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (caller) => {
    const line = lineOf(caller.remoteAddress ?? '')
    open.add(caller)
    caller.once('close', () => open.delete(caller))
    caller.on('error', () => undefined)
    if (line.state === 'cut') caller.resetAndDestroy()
    else join(caller, connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true }), line)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, stop: () => close(server, open) }
}

async function close(server: Server, open: ReadonlySet<Socket>): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  for (const socket of open) socket.destroy()
  await closed
}

/** Passes on both ways, as the line allows, until either side ends. */
function join(caller: Socket, target: Socket, line: Line): void {
  let lost = false
  const end = (): void => {
    stopListening()
    caller.destroy()
    target.destroy()
  }
  const ways = [pass(caller, target, line, 0, () => (lost = true)), pass(target, caller, line, 1, () => (lost = true))]
  const stopListening = line.onChange(() => {
    if (line.state === 'cut' || (lost && line.state !== 'swallows')) end()
    else for (const way of ways) way()
  })
  for (const socket of [caller, target]) {
    socket.on('error', end)
    socket.once('close', end)
  }
}

/** One way. Pieces arrive in order, each when its time has come. @returns looks again whether what waits may go */
function pass(from: Socket, to: Socket, line: Line, way: 0 | 1, lose: () => void): () => void {
  const queue: { readonly piece: Buffer | null; readonly dueMs: number }[] = []
  let timer: NodeJS.Timeout | undefined
  let full = false
  const look = (): void => {
    clearTimeout(timer)
    if (line.state === 'stalls' || to.destroyed) return
    for (let first = queue[0]; first !== undefined; first = queue[0]) {
      const wait = first.dueMs - performance.now()
      if (wait > 0) {
        timer = setTimeout(look, wait)
        return
      }
      queue.shift()
      if (line.state === 'swallows') lose()
      else if (first.piece === null) to.end()
      else if (!to.write(first.piece)) full = true
    }
    if (full) from.pause()
    else from.resume()
  }
  const add = (piece: Buffer | null): void => {
    const size = piece?.length ?? 0
    line.bytes += size
    queue.push({ piece, dueMs: performance.now() + line.takesMs(size, way) })
    if (queue.length >= QUEUE) from.pause()
    if (queue.length === 1) look()
  }
  from.on('data', add)
  from.once('end', () => add(null))
  to.on('drain', () => {
    full = false
    look()
  })
  to.once('close', () => clearTimeout(timer))
  return look
}

/** Pieces of up to 64 KiB that may be on their way before the sender feels it. */
const QUEUE = 64
