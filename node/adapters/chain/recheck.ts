import type { RawLog } from './rpc.ts'

/** Logs that were read since the last comparison, by where they stand: all of the blocks from `from` on, in the order in which they were taken. */
export interface Stretch {
  from: number
  keys: LogKey[]
}

export interface LogKey {
  readonly block: number
  readonly index: number
  readonly tx: string
}

export const keyOf = (log: RawLog): LogKey => ({ block: Number(log.blockNumber), index: Number(log.logIndex), tx: log.transactionHash })

/**
 * Compares what was read with what the chain holds.
 * @param stretch is shortened to what the next comparison begins with, once this one found no difference
 * @param fetch logs of the blocks from the given one on
 * @returns 'same'; 'more' when the chain holds newer logs that were not read; 'other' when what was read is not what the chain holds
 */
export async function recheck(stretch: Stretch, fetch: (from: number) => Promise<readonly RawLog[]>): Promise<'same' | 'more' | 'other'> {
  const last = stretch.keys.at(-1)
  const read = stretch.keys.slice()
  const held = (await fetch(stretch.from)).map(keyOf)
  // More may have come while the chain was asked; only what was there before is compared.
  const upTo = last === undefined ? [] : held.filter((key) => !isBehind(key, last))
  if (upTo.length !== read.length || !read.every((key, i) => isSame(key, upTo[i]))) return 'other'
  const newest = held.at(-1)
  const now = stretch.keys.at(-1)
  if (last !== undefined) {
    stretch.keys = stretch.keys.filter(({ block }) => block >= last.block)
    stretch.from = last.block
  }
  return newest !== undefined && (now === undefined || isBehind(newest, now)) ? 'more' : 'same'
}

const isBehind = (a: LogKey, b: LogKey): boolean => a.block > b.block || (a.block === b.block && a.index > b.index)

const isSame = (a: LogKey, b: LogKey | undefined): boolean => b !== undefined && a.block === b.block && a.index === b.index && a.tx === b.tx
