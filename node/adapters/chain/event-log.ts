import { setTimeout as sleep } from 'node:timers/promises'
import { type Digest, digest } from '#base/ids.ts'
import type { ChainEvent, ChainEventBody } from '#ports/chain.ts'
import { decodeEvents } from './decode-event.ts'
import { type EventFile, noEventFile } from './event-file.ts'
import { type EventFilter, EventHistory } from './event-history.ts'
import { interfaces, type Link } from './link.ts'
import { keyOf, recheck, type Stretch } from './recheck.ts'
import { noAnswer, type RawLog, RpcError } from './rpc.ts'

/** All events of the network's contracts, read once each. */
export interface EventLog {
  /** Of blocks `from` to the newest that counts, in order. */
  read(from: number, filter?: EventFilter): Promise<readonly ChainEvent[]>
  /** Says that block `block` holds something new (null: unknown which), at `index` in it where that is known. */
  touch(block: number | null, index?: number): void
  /** Takes a log as the subscription brings it, in order and without a gap; where that is not sure, it is asked for. */
  push(log: RawLog): void
  /**
   * Compares what was read with the chain, as after a lost endpoint.
   * @returns blocks `from` and `to` between which the chain went back, or null when all stands
   */
  verify(): Promise<Rewind | null>
}

/** The chain lost blocks: it stood at `from` when last read, and what was read holds up to `to` at most. */
export interface Rewind {
  readonly from: number
  readonly to: number
}

/** Blocks asked for at once; endpoints limit it differently, so a refusal makes it smaller. */
const RANGE = 10_000
/** A chain may announce a block before its logs can be read. */
const ANNOUNCED_EARLY_MS = 200
/** How often what was read is compared with the chain: an endpoint may drop, repeat or mix up what it pushes, or leave logs out of an answer. */
const RECHECK_MS = 5_000

/** What was read of one history of the chain; when the chain goes back, a new one is begun and this one is left to itself. */
interface Read {
  readonly history: EventHistory
  last: RawLog | null
  /** All blocks up to this one were read; it is read again, for an answer without its logs shows that the chain went back. */
  floor: number
  /** Newest block that is known to hold something. */
  announced: number
  dirty: boolean
  /** All up to the head has been read once, with the subscription in place: what it brings is the next. */
  current: boolean
  caughtUp: Promise<void> | null
  refreshing: Promise<void> | null
  /** What was read since it was last compared. */
  readonly unsure: Stretch
  nextCheckMs: number
}

/** @param onDoubt told when what was read turned out not to be what the chain holds; it is being read anew */
export function openEventLog(link: Link, given: EventFile, onDoubt: (rewind: Rewind | null) => void = () => {}): EventLog {
  let file = given
  const fresh = (): Read => ({
    history: new EventHistory(file.start, (from, to) => file.read(from, to)?.flatMap((log) => decode(link, log)) ?? null),
    last: null,
    floor: link.deployedAtBlock,
    announced: 0,
    dirty: true,
    current: false,
    caughtUp: null,
    refreshing: null,
    unsure: { from: link.deployedAtBlock, keys: [] },
    nextCheckMs: Date.now() + RECHECK_MS,
  })
  let read = fresh()
  try {
    file.replay((log, end) => {
      // Of what was read earlier the newest block alone is compared.
      if (read.last?.blockNumber !== log.blockNumber) read.unsure.keys = []
      keep(link, read, [log], () => [end])
    })
    begin(read)
  } catch {
    // The file is a cache: what cannot be understood is read from the chain again.
    file.clear()
    read = fresh()
  }

  const take = async (into: Read, logs: readonly RawLog[]): Promise<void> => {
    const news = await withTimestamps(
      link,
      logs.filter((log) => into.last === null || isAfter(log, into.last)),
    )
    keep(link, into, news, (logs) => (into === read ? file.append(logs) : null))
  }

  /** From what is known to the head, in pieces. */
  const catchUp = async (into: Read): Promise<void> => {
    const head = await link.depth.number()
    for (let range = RANGE; into.floor < head; ) {
      const to = Math.min(into.floor + range, head)
      const logs = await fetchLogs(link, into.floor, to).catch((error) => {
        if (!(error instanceof RpcError) || range === 1) throw error
        return null
      })
      if (logs === null) range = Math.ceil(range / 10)
      else {
        await take(into, logs)
        into.floor = to
      }
    }
  }

  const refresh = async (into: Read): Promise<void> => {
    into.dirty = false
    try {
      const logs = await fetchNewest(link, into.floor).catch((error) => (error instanceof RpcError ? null : Promise.reject(error)))
      await (logs === null ? catchUp(into) : take(into, logs))
      for (const end = Date.now() + ANNOUNCED_EARLY_MS; link.depth.newest && into.floor < into.announced && Date.now() < end; ) {
        await sleep(4)
        await take(into, await fetchNewest(link, into.floor).catch(nothingThere))
      }
      // What was announced and never came was taken back.
      into.announced = into.floor
      into.current = link.rpc.pushes && link.depth.newest
    } catch (error) {
      into.dirty = true
      throw error
    }
  }

  /** One refreshing at a time; who comes while one is under way waits for another only if something new was announced meanwhile. */
  const bringUpToDate = async (into: Read): Promise<void> => {
    into.caughtUp ??= catchUp(into)
    await into.caughtUp.catch((error) => {
      into.caughtUp = null
      throw error
    })
    // What counts changes with blocks that bring no log of ours.
    into.dirty ||= !link.rpc.pushes || !link.depth.newest
    while (into.dirty || into.refreshing) {
      into.refreshing ??= refresh(into).finally(() => {
        into.refreshing = null
      })
      await into.refreshing
    }
  }

  const readAnew = () => {
    file.clear()
    read = fresh()
  }

  const verify = async (before: Read): Promise<Rewind | null> => {
    before.dirty = true
    // More may be read while the chain is asked.
    const { last } = before
    if (last === null) return null
    const block = await link.rpc.call<{ hash: string } | null>('eth_getBlockByNumber', [last.blockNumber, false])
    if (block?.hash === last.blockHash || before !== read) return null
    const head = Number(await link.rpc.call<string>('eth_blockNumber', []))
    // Several may have looked at once: one tells.
    if (before !== read) return null
    const from = Number(last.blockNumber)
    readAnew()
    return { from, to: Math.min(head, from - 1) }
  }

  const doubt = async (into: Read): Promise<void> => {
    const rewind = await verify(into)
    if (rewind === null && into === read) readAnew()
    onDoubt(rewind)
  }

  /** Beside the reading, so that nobody waits for it. What was missed or taken twice makes all be read anew. */
  const checkNowAndThen = (into: Read): void => {
    if (Date.now() < into.nextCheckMs) return
    into.nextCheckMs = Number.POSITIVE_INFINITY
    if (into.floor - into.unsure.from > RANGE) begin(into)
    recheck(into.unsure, (from) => fetchNewest(link, from))
      .then(async (found) => {
        if (found === 'more') into.dirty = true
        if (found === 'other') await doubt(into)
      })
      // An endpoint that does not answer is asked again next time.
      .catch(() => undefined)
      .finally(() => {
        into.nextCheckMs = Date.now() + RECHECK_MS
      })
  }

  return {
    async read(from, filter) {
      const now = read
      checkNowAndThen(now)
      await bringUpToDate(now).catch((error) => {
        throw error instanceof RpcError ? noAnswer(link.url, error.method, error) : error
      })
      if (now !== read) return this.read(from, filter)
      const events = now.history.since(from, filter)
      if (events !== null) return events
      // What is not on the disk any more is on the chain; from now on all of it stays in memory.
      file.clear()
      file = noEventFile
      read = fresh()
      return this.read(from, filter)
    },
    touch(block, index) {
      if (block !== null && index !== undefined && holds(read, block, index)) return
      read.dirty = true
      if (block !== null) read.announced = Math.max(read.announced, block)
    },
    push(log) {
      const { last, current, dirty, refreshing } = read
      const next = current && !dirty && refreshing === null && log.blockTimestamp !== undefined
      if (!next || (last !== null && !isAfter(log, last))) return this.touch(Number(log.blockNumber), Number(log.logIndex))
      keep(link, read, [log], file.append)
      read.floor = Math.max(read.floor, Number(log.blockNumber))
      read.announced = Math.max(read.announced, read.floor)
    },
    verify: () => verify(read),
  }
}

/** @param write puts them on the disk, and says where they end there */
function keep(link: Link, into: Read, logs: readonly RawLog[], write: (logs: readonly RawLog[]) => readonly number[] | null): void {
  if (logs.length === 0) return
  const events = logs.map((log) => decode(link, log))
  const ends = write(logs)
  for (const [i, log] of logs.entries()) {
    for (const event of events[i] ?? []) into.history.push(event, ends?.[i] ?? null)
    into.unsure.keys.push(keyOf(log))
    into.last = log
    into.floor = Math.max(into.floor, Number(log.blockNumber))
  }
}

/** The next comparison begins at what was read last. */
function begin({ unsure, last, floor }: Read): void {
  unsure.from = Math.max(unsure.from, floor, Number(last?.blockNumber ?? 0))
  unsure.keys = unsure.keys.filter(({ block }) => block >= unsure.from)
}

const fetchLogs = (link: Link, from: number, to: number | string) =>
  link.rpc.call<RawLog[]>('eth_getLogs', [{ address: watchedOf(link), fromBlock: hex(from), toBlock: typeof to === 'string' ? to : hex(to) }])

/** Up to the newest block that counts; nothing when that lies below `from`, as after the setting was changed. */
async function fetchNewest(link: Link, from: number): Promise<RawLog[]> {
  const tag = await link.depth.tag()
  return tag.startsWith('0x') && Number(tag) < from ? [] : fetchLogs(link, from, tag)
}

/** A chain that went back refuses blocks that it no longer has; `verify` finds that out. */
function nothingThere(error: unknown): readonly RawLog[] {
  if (!(error instanceof RpcError)) throw error
  return []
}

const hex = (n: number): string => `0x${n.toString(16)}`

export const watchedOf = (link: Link): readonly string[] => Object.values(link.addresses)

const holds = ({ last }: Read, block: number, index: number): boolean =>
  last !== null && (Number(last.blockNumber) > block || (Number(last.blockNumber) === block && Number(last.logIndex) >= index))

const isAfter = (a: RawLog, b: RawLog): boolean => {
  const blocks = Number(a.blockNumber) - Number(b.blockNumber)
  return blocks > 0 || (blocks === 0 && Number(a.logIndex) > Number(b.logIndex))
}

const CONTRACTS = Object.keys(interfaces) as (keyof typeof interfaces)[]

function decode(link: Link, log: RawLog): readonly ChainEvent[] {
  const name = CONTRACTS.find((contract) => link.addresses[contract] === log.address.toLowerCase())
  if (name === undefined) return []
  const place = { block: Number(log.blockNumber), index: Number(log.logIndex), timestamp: Number(log.blockTimestamp), tx: digest(log.transactionHash) }
  return decodeEvents(name, log).map((body) => ({ ...place, ...body, ...blockOf(body.kind, log) }))
}

/** Of what calls name by the hash of its block. */
function blockOf(kind: ChainEventBody['kind'], log: RawLog): { readonly opening?: Digest; readonly began?: Digest } {
  if (kind === 'RoundOpened') return { opening: digest(log.blockHash) }
  return kind === 'PhaseBegan' || kind === 'ContributingExtended' ? { began: digest(log.blockHash) } : {}
}

/** Older clients leave the time of the block out of its logs. */
async function withTimestamps(link: Link, logs: readonly RawLog[]): Promise<readonly RawLog[]> {
  const lacking = new Set(logs.filter((log) => log.blockTimestamp === undefined).map((log) => log.blockNumber))
  if (lacking.size === 0) return logs
  const found = new Map(await Promise.all([...lacking].map(async (block) => [block, await timestampOf(link, block)] as const)))
  return logs.map((log) => (log.blockTimestamp === undefined ? { ...log, blockTimestamp: found.get(log.blockNumber) as string } : log))
}

const timestampOf = async (link: Link, block: string): Promise<string> =>
  (await link.rpc.call<{ timestamp: string }>('eth_getBlockByNumber', [block, false])).timestamp
