import { mkdir, readFile, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { DEV_CHAIN_ID, startAnvil, stopAnvil } from '#adapters/devchain/anvil.ts'
import { isProcessAlive } from '#adapters/devchain/machine.ts'
import { writeAtomic } from '#adapters/journal/atomic-file.ts'
import { RotaError } from '#base/errors.ts'

export interface ChainStart {
  readonly folder: string
  readonly port: number | undefined
  readonly blockTime: number | undefined
  readonly mixedMining: boolean
}

export interface RunningChain {
  readonly pid: number
  readonly url: string
  readonly chainId: number
  readonly folder: string
  /** It was running already. */
  readonly already: boolean
}

const FILE = 'chain.json'

/** Starts the embedded chain in the background; its state is in the folder, and it goes on from there when started again. */
export async function startChain(options: ChainStart, signal: AbortSignal): Promise<RunningChain> {
  const folder = resolve(options.folder)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const running = await runningChain(folder)
  if (running !== null) return { ...running, already: true }
  const before = await lastPort(folder)
  const chain = await startAnvil({
    ...portOf(options.port ?? before),
    stateFile: join(folder, 'state.json'),
    stateIntervalSeconds: 1,
    ...(options.blockTime === undefined ? {} : { blockTimeSeconds: options.blockTime, mixedMining: options.mixedMining }),
    detached: { logFile: join(folder, 'chain.log') },
    signal,
  })
  await writeAtomic(join(folder, FILE), JSON.stringify({ pid: chain.pid, port: chain.port }))
  return { pid: chain.pid, url: chain.url, chainId: DEV_CHAIN_ID, folder, already: false }
}

/** @throws ROTA-1211 when none runs there */
export async function stopChain(folder: string): Promise<{ readonly pid: number }> {
  const running = await runningChain(resolve(folder))
  if (running === null) throw new RotaError('ROTA-1211', { folder: resolve(folder) })
  await stopAnvil(running.pid)
  return { pid: running.pid }
}

async function runningChain(folder: string): Promise<Omit<RunningChain, 'already'> | null> {
  const noted = await note(folder)
  if (noted === null || !isProcessAlive(noted.pid)) return null
  return { pid: noted.pid, url: `ws://127.0.0.1:${noted.port}`, chainId: DEV_CHAIN_ID, folder }
}

/** The port it had: nodes have it in their configs. */
const lastPort = async (folder: string): Promise<number | undefined> => (await note(folder))?.port

const portOf = (port: number | undefined) => (port === undefined ? {} : { port })

async function note(folder: string): Promise<{ pid: number; port: number } | null> {
  try {
    const { pid, port } = JSON.parse(await readFile(join(folder, FILE), 'utf8')) as { pid?: unknown; port?: unknown }
    return typeof pid === 'number' && typeof port === 'number' ? { pid, port } : null
  } catch {
    await rm(join(folder, FILE), { force: true })
    return null
  }
}
