import { isDeepStrictEqual } from 'node:util'
import { RotaError } from '#base/errors.ts'
import { type Rpc, RpcError, withoutSecrets } from './rpc.ts'

/** Two endpoints of one chain, each by its URL. */
export interface Two {
  readonly first: { readonly rpc: Rpc; readonly url: string }
  readonly second: { readonly rpc: Rpc; readonly url: string }
  /** An endpoint that stands still for so long while the other goes on is not behind, it is stuck. Default 30 s. */
  readonly stuckMs?: number
}

/** Waits before two endpoints that differ are asked again, ms: one may just be taking in a block. */
const AGAIN_MS = [100, 300, 600]
const STUCK_MS = 30_000

/**
 * One endpoint, believed only where a second one says the same: both are asked what a block holds, and the newest block is the newest that both have.
 * So neither can show this node a round, a frozen set or an event that the chain does not hold, unless both lie alike. Transactions go to both, so neither
 * can keep them back. Questions that name no block are the first one's alone. Costs a second answer for each question, and that both must be there.
 */
export function witnessed({ first, second, stuckMs = STUCK_MS }: Two): Rpc {
  const stuck = watchForStuck(first.url, second.url, stuckMs)

  const compare = async <T>(method: string, params: readonly unknown[]): Promise<T> => {
    for (let tries = 0; ; tries++) {
      const [mine, theirs] = await Promise.all([answerOf<T>(first.rpc, method, params), answerOf<T>(second.rpc, method, params)])
      if (isDeepStrictEqual(essence(method, mine), essence(method, theirs))) return mine.error === undefined ? (mine.result as T) : Promise.reject(mine.error)
      const refused = [mine, theirs].find((answer) => answer.error !== undefined && method === 'eth_getLogs')
      // One takes narrower ranges than the other: whoever asks makes them smaller.
      if (refused !== undefined) throw refused.error
      const waitMs = AGAIN_MS[tries]
      if (waitMs === undefined)
        throw new RotaError('ROTA-5014', { url: withoutSecrets(first.url), witness: withoutSecrets(second.url), method, block: blockOf(method, params) ?? '' })
      await new Promise((resolve) => setTimeout(resolve, waitMs))
    }
  }

  /** The newest block that both have. @throws ROTA-5015 */
  const newest = async (): Promise<string> => {
    const [mine, theirs] = await Promise.all([first, second].map(({ rpc }) => rpc.call<string>('eth_blockNumber', []).then(Number)))
    stuck(mine as number, theirs as number)
    return hex(Math.min(mine as number, theirs as number))
  }

  const newestFinal = async (): Promise<unknown> => {
    const blocks = await Promise.all([first, second].map(({ rpc }) => rpc.call<{ number: string }>('eth_getBlockByNumber', ['finalized', false])))
    return blocks.reduce((low, block) => (Number(block.number) < Number(low.number) ? block : low))
  }

  return {
    pushes: first.rpc.pushes,
    async call<T>(method: string, params: readonly unknown[]): Promise<T> {
      if (method === 'eth_blockNumber') return (await newest()) as T
      if (method === 'eth_getBlockByNumber' && params[0] === 'finalized') return (await newestFinal()) as T
      if (blockOf(method, params) !== undefined) return compare<T>(method, params)
      if (method === 'eth_sendRawTransaction') void second.rpc.call(method, params).catch(() => undefined)
      return first.rpc.call<T>(method, params)
    },
    onLog: first.rpc.onLog,
    onReconnect: first.rpc.onReconnect,
    watch: (addresses) => first.rpc.watch(addresses),
    stop: async () => void (await Promise.all([first.rpc.stop(), second.rpc.stop()])),
  }
}

interface Answer<T> {
  readonly result?: T
  readonly error?: RpcError
}

/** An endpoint's refusal is an answer too: a contract's revert must be the same on both. @throws when it does not answer */
const answerOf = <T>(rpc: Rpc, method: string, params: readonly unknown[]): Promise<Answer<T>> =>
  rpc.call<T>(method, params).then(
    (result) => ({ result }),
    (error) => {
      if (error instanceof RpcError) return { error }
      throw error
    },
  )

/** The block that a question is about, where it names one by its number. */
function blockOf(method: string, params: readonly unknown[]): string | undefined {
  const named =
    method === 'eth_call'
      ? params[1]
      : method === 'eth_getBlockByNumber'
        ? params[0]
        : method === 'eth_getLogs'
          ? (params[0] as { toBlock?: unknown }).toBlock
          : undefined
  return typeof named === 'string' && /^0x[0-9a-f]+$/.test(named) ? named : undefined
}

/** What two clients of different makes must say alike. */
function essence(method: string, { result, error }: Answer<unknown>): unknown {
  if (error !== undefined) return ['refused', error.data ?? null]
  if (method === 'eth_getBlockByNumber') return pick(result, ['number', 'hash', 'timestamp'])
  if (method === 'eth_getLogs' && Array.isArray(result))
    return result.map((log) => pick(log, ['address', 'topics', 'data', 'blockHash', 'logIndex', 'transactionHash']))
  return result
}

const pick = (from: unknown, fields: readonly string[]): unknown =>
  typeof from === 'object' && from !== null ? fields.map((field) => lowered((from as Record<string, unknown>)[field])) : from

const lowered = (value: unknown): unknown => (typeof value === 'string' ? value.toLowerCase() : Array.isArray(value) ? value.map(lowered) : value)

/** @returns told both heights at each look; throws ROTA-5015 once one has stood still too long while the other was ahead */
function watchForStuck(firstUrl: string, secondUrl: string, stuckMs: number): (mine: number, theirs: number) => void {
  let low = { at: -1, sinceMs: 0 }
  return (mine, theirs) => {
    const at = Math.min(mine, theirs)
    if (mine === theirs || at !== low.at) low = { at, sinceMs: Date.now() }
    if (Date.now() - low.sinceMs <= stuckMs) return
    const [url, other] = mine < theirs ? [firstUrl, secondUrl] : [secondUrl, firstUrl]
    throw new RotaError('ROTA-5015', { url: withoutSecrets(url), behind: Math.abs(mine - theirs), other: withoutSecrets(other), seconds: stuckMs / 1_000 })
  }
}

const hex = (n: number): string => `0x${n.toString(16)}`
