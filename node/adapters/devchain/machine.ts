import { randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { RotaError } from '#base/errors.ts'

/** Below what systems give to outgoing connections (Linux from 32,768 on, others from 49,152): those come and go, and one may have a port when it is needed. */
const FIRST_PORT = 20_000
const PORTS = 12_000
const TRIES = 100

/** One after the other, from a place of its own on: of fifty that are each drawn, two are the same one time in ten, and two processes meet more often. */
let given = randomInt(PORTS)

/** A port of 127.0.0.1 that was free a moment ago, that no outgoing connection will take, and that this process was not given before. */
export async function freePort(): Promise<number> {
  for (let tries = 1; ; tries++) {
    const port = FIRST_PORT + (given++ % PORTS)
    try {
      await tryListening(port)
      return port
    } catch (error) {
      if (tries === TRIES) throw error
    }
  }
}

function tryListening(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(port, '127.0.0.1', () => server.close(() => resolve()))
  })
}

export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !isZombie(pid)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Ended, but nobody has fetched its exit status (as in a container whose first process does not): Linux only. */
function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')
  } catch {
    return false
  }
}

/** One JSON-RPC call over HTTP on this machine. @throws ROTA-1309 when the answer is an error; an Error of fetch when nobody answers */
export async function jsonRpc(port: number, method: string, params: readonly unknown[] = [], limitMs = 5_000): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const reply = await fetch(`http://127.0.0.1:${port}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
    signal: AbortSignal.timeout(limitMs),
  })
  const { result, error } = (await reply.json()) as { result?: unknown; error?: { message?: string } }
  if (error) throw new RotaError('ROTA-1309', { reason: error.message ?? method })
  return result
}
