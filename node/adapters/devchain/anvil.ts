import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { isRotaError, RotaError } from '#base/errors.ts'
import { findAnvil } from './anvil-binary.ts'
import { freePort, isProcessAlive, jsonRpc } from './machine.ts'

export interface DevChainOptions {
  /** 0 or absent: a free one is chosen. */
  readonly port?: number
  /** Kept over restarts in this file; absent: the chain is gone when it stops. */
  readonly stateFile?: string
  /** How often the state is written while it runs; a kill without notice loses at most so much. Default 2. */
  readonly stateIntervalSeconds?: number
  /** Default 7041. */
  readonly chainId?: number
  /** Absent: a block for each transaction at once. */
  readonly blockTimeSeconds?: number
  /** With blockTimeSeconds: transactions are mined at once too, and empty blocks keep chain time going. */
  readonly mixedMining?: boolean
  /** Wei; 0 (default) lets accounts without ether send. */
  readonly baseFee?: number
  /** Lives on when this program ends (`rota chain start`); its output goes to `logFile`. */
  readonly detached?: { readonly logFile: string }
  readonly signal?: AbortSignal
}

export interface DevChain {
  readonly pid: number
  readonly port: number
  /** ws:// */
  readonly url: string
  readonly httpUrl: string
  /** Writes its state and ends; killed when that takes over 5 s. */
  stop(): Promise<void>
}

export const DEV_CHAIN_ID = 7041

/**
 * An Ethereum chain on this machine alone: zero fees, no accounts of its own, listening on 127.0.0.1. For demos, tests and a single machine:
 * one process decides, so it proves nothing to anyone who does not run it.
 * @throws ROTA-1309 when it does not answer within 10 s, ROTA-1310 when there is none for this platform
 */
export async function startAnvil(options: DevChainOptions = {}): Promise<DevChain> {
  if (options.port) return startOn(options, options.port)
  for (let tries = 1; ; tries++) {
    try {
      return await startOn(options, await freePort())
    } catch (error) {
      // Another program may have taken the port between our look and the chain's start.
      const taken = isRotaError(error, 'ROTA-1309') && /in use/i.test(error.message)
      if (!taken || tries === 3) throw error
    }
  }
}

async function startOn(options: DevChainOptions, port: number): Promise<DevChain> {
  const child = launch(options, port)
  const output = options.detached ? () => lastLines(options.detached?.logFile ?? '') : collect(child)
  await answers(child, port, options, output)
  if (options.detached) child.unref()
  const pid = child.pid as number
  return { pid, port, url: `ws://127.0.0.1:${port}`, httpUrl: `http://127.0.0.1:${port}`, stop: () => stopAnvil(pid) }
}

/** Ends a chain by its process id, letting it write its state first. */
export async function stopAnvil(pid: number): Promise<void> {
  for (const [signal, waitMs] of [
    ['SIGTERM', 5_000],
    ['SIGKILL', 2_000],
  ] as const) {
    if (!isProcessAlive(pid)) return
    process.kill(pid, signal)
    for (const end = Date.now() + waitMs; Date.now() < end && isProcessAlive(pid); ) await sleep(10)
  }
}

function launch(options: DevChainOptions, port: number): ChildProcess {
  if (!options.detached) return spawn(findAnvil(), argumentsOf(options, port), { stdio: ['ignore', 'pipe', 'pipe'] })
  const log = openSync(options.detached.logFile, 'a', 0o600)
  try {
    return spawn(findAnvil(), argumentsOf(options, port), { stdio: ['ignore', log, log], detached: true })
  } finally {
    closeSync(log)
  }
}

function argumentsOf(options: DevChainOptions, port: number): string[] {
  return [
    ...['--quiet', '--host', '127.0.0.1', '--port', `${port}`, '--no-cors', '--accounts', '0'],
    // The default hardfork is the newest; ours is the one that the contracts are compiled for and that Besu runs.
    ...['--hardfork', 'cancun', '--chain-id', `${options.chainId ?? DEV_CHAIN_ID}`],
    // States of old blocks are nobody's here; it would keep them under the home folder, gigabytes a day, and leave them there when it ends.
    ...['--max-persisted-states', '0'],
    ...['--block-base-fee-per-gas', `${options.baseFee ?? 0}`, '--gas-price', `${options.baseFee ?? 0}`],
    ...(options.stateFile ? ['--state', options.stateFile, '--state-interval', `${options.stateIntervalSeconds ?? 2}`] : []),
    ...(options.blockTimeSeconds ? ['--block-time', `${options.blockTimeSeconds}`] : []),
    ...(options.blockTimeSeconds && options.mixedMining ? ['--mixed-mining'] : []),
  ]
}

async function answers(child: ChildProcess, port: number, options: DevChainOptions, output: () => string): Promise<void> {
  const fail = (reason: string) => new RotaError('ROTA-1309', { reason })
  let startError: Error | undefined
  child.once('error', (error) => {
    startError = error
  })
  for (const end = Date.now() + 10_000; Date.now() < end; await sleep(15)) {
    if (startError) throw fail(startError.message)
    if (child.exitCode !== null || child.signalCode !== null) throw fail(output() || `it ended with ${child.exitCode ?? child.signalCode}`)
    const chainId = await jsonRpc(port, 'eth_chainId', [], 500).catch(() => undefined)
    if (chainId !== undefined && Number(chainId) === (options.chainId ?? DEV_CHAIN_ID) && child.exitCode === null) return
    if (options.signal?.aborted) break
  }
  child.kill('SIGKILL')
  if (options.signal?.aborted) throw options.signal.reason
  throw fail('it did not answer within 10 s')
}

/** The last output of a child, for the reason when it fails; reading it also keeps its pipe from filling up. */
function collect(child: ChildProcess): () => string {
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (part: string) => {
      text = (text + part).slice(-500)
    })
  return () => text.trim()
}

const lastLines = (file: string): string => readFileSync(file, 'utf8').slice(-500).trim()
