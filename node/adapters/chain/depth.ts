import { RotaError } from '#base/errors.ts'
import { noAnswer, type Rpc, RpcError } from './rpc.ts'

/**
 * When a block counts. `instant`: as soon as it is there (QBFT and its like, whose blocks are final when they are made). A number: when so many blocks
 * stand on it. `finalized`: when the chain calls it so; chains without a notion of it refuse the word.
 */
export type Finality = 'instant' | 'finalized' | number

/** How deep a node looks into the chain: whatever is above does not exist for it yet. */
export interface Depth {
  /** Whether the newest block counts: then nothing is asked for, and what the endpoint pushes can be taken as it comes. */
  readonly newest: boolean
  /** The block to read at, as calls name it. */
  tag(): Promise<string>
  /** Number of that block. @throws ROTA-5001, ROTA-5014 */
  number(): Promise<number>
  /** Resolves once `block` counts. @throws ROTA-5017 when the chain does not get there, ROTA-5001, ROTA-5014 */
  reach(block: number): Promise<void>
}

/** How often it is asked whether a block counts by now. */
const LOOK_MS = 200
const STILL_MS = 60_000
/** Chains that call blocks final in batches do so every few minutes. */
const STILL_FINALIZED_MS = 20 * 60_000

/**
 * @param compared whether `rpc` asks two endpoints, which needs a block's number in every question
 * @param stillLimitMs so long the chain may stand still before `reach` gives up
 */
export function depthOf(
  rpc: Rpc,
  url: string,
  finality: Finality,
  compared: boolean,
  stillLimitMs = finality === 'finalized' ? STILL_FINALIZED_MS : STILL_MS,
): Depth {
  const newest = finality === 'instant' && !compared
  const number = async (): Promise<number> => {
    const at = await numberAt(rpc, url, finality)
    // A block that both endpoints have, and have alike.
    if (compared) await rpc.call('eth_getBlockByNumber', [hex(at), false])
    return at
  }
  return {
    newest,
    tag: async () => (newest ? 'latest' : compared || typeof finality === 'number' ? hex(await number()) : 'finalized'),
    number,
    async reach(block) {
      let still = { at: -1, sinceMs: 0 }
      for (let at = await number(); at < block; at = await number()) {
        if (at !== still.at) still = { at, sinceMs: Date.now() }
        if (Date.now() - still.sinceMs > stillLimitMs) throw new RotaError('ROTA-5017', { block, at, seconds: stillLimitMs / 1_000, finality })
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
      }
    },
  }
}

/** @throws ROTA-5013 when the chain does not know `finalized` */
async function numberAt(rpc: Rpc, url: string, finality: Finality): Promise<number> {
  try {
    if (finality === 'finalized') return Number((await rpc.call<{ number: string }>('eth_getBlockByNumber', ['finalized', false])).number)
    return Math.max(0, Number(await rpc.call<string>('eth_blockNumber', [])) - (finality === 'instant' ? 0 : finality))
  } catch (error) {
    if (!(error instanceof RpcError)) throw error
    throw finality === 'finalized' ? new RotaError('ROTA-5013', { url, error: error.message }, error) : noAnswer(url, error.method, error)
  }
}

const hex = (n: number): string => `0x${n.toString(16)}`
