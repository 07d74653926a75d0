import { type Address, address, type Digest, type StudyId } from '#base/ids.ts'
import type { Chain, ChainReader } from '#ports/chain.ts'
import { noEventFile, openEventFile } from './event-file.ts'
import { type EventLog, openEventLog, type Rewind, watchedOf } from './event-log.ts'
import { asAnswered, type EndpointOptions, type Link, openLink } from './link.ts'
import { preparing } from './prepared-charge.ts'
import { readerOf, readHash } from './reader.ts'
import type { RawLog } from './rpc.ts'
import { openSender } from './sender.ts'
import { sendTo, writerOf } from './writer.ts'

export interface ChainOptions extends EndpointOptions {
  /** The network's RotaDirectory. */
  readonly contracts: Address
  /** Private key of the node's account, 0x-hex; null: a reader that can send nothing. */
  readonly signer: string | null
  /** Keeps events that were read, and which chain this is; without it both are forgotten when the program ends. */
  readonly cacheDir?: string
}

export interface EthersChain extends Chain {
  /** The node cannot unwrap an epoch's key. */
  reportEpoch(study: StudyId, epoch: number): Promise<void>
  /**
   * Calls back when the chain turns out to have lost blocks that were read: what the journal holds is then sent again.
   * One that was found before is told at once. Returns how to stop.
   */
  onRewind(listener: (rewind: Rewind) => void): () => void
  /** @param block at most the head's number */
  blockHash(block: number): Promise<Digest>
  readonly link: Link
}

export interface EthersReader extends ChainReader, Pick<EthersChain, 'onRewind' | 'blockHash' | 'link' | 'stop'> {}

/**
 * The contracts behind a JSON-RPC endpoint. Survives one that goes away and comes back: calls wait up to 20 s, then ask for a retry;
 * listeners are woken once it is back.
 * @throws ROTA-5001 nobody answers, ROTA-5004 another chain id, ROTA-5005 another genesis than remembered,
 *   ROTA-5006 and ROTA-5007 no contracts that this node works with, ROTA-5013 no finalized blocks
 */
export async function connectChain(options: ChainOptions & { readonly signer: string }): Promise<EthersChain>
export async function connectChain(options: ChainOptions & { readonly signer: null }): Promise<EthersReader>
export async function connectChain(options: ChainOptions): Promise<EthersChain | EthersReader> {
  const link = await openLink({ ...options, contracts: address(options.contracts) })
  try {
    const watched = await watchEvents(link, options.cacheDir)
    const base = {
      ...guarded({ ...readerOf(link, watched.log), blockHash: (block: number) => readHash(link, block) }, link.url),
      onChange: watched.onChange,
      onRewind: watched.onRewind,
      link,
      stop: () => link.rpc.stop(),
    }
    if (options.signer === null) return base
    const sender = openSender(link, options.signer)
    const send = sendTo(link, sender, (block, index) => watched.log.touch(block, index))
    return { ...base, ...guarded(preparing(writerOf(send), send, link, sender.account), link.url), account: sender.account }
  } catch (error) {
    await link.rpc.stop()
    throw error
  }
}

/** Every call ends in an error of the catalogue, whatever the endpoint answered. */
function guarded<T extends object>(calls: T, url: string): T {
  const all = Object.entries(calls).map(([name, call]) => {
    if (typeof call !== 'function') return [name, call]
    return [name, async (...args: readonly unknown[]) => call(...args).catch((error: unknown) => Promise.reject(asAnswered(error, url)))]
  })
  return Object.fromEntries(all)
}

/** The event log, kept current by one subscription to the contracts' logs. */
async function watchEvents(link: Link, cacheDir: string | undefined) {
  const file = cacheDir === undefined ? noEventFile : openEventFile(cacheDir, link.genesis, link.addresses.RotaDirectory, link.url)
  const wakeListeners = new Set<() => void>()
  const rewindListeners = new Set<(rewind: Rewind) => void>()
  let found: Rewind | null = null
  let waking = false

  /** Several logs of one block wake once. */
  const wake = () => {
    if (waking) return
    waking = true
    setImmediate(() => {
      waking = false
      for (const listener of wakeListeners) listener()
    })
  }
  const tell = (rewind: Rewind | null) => {
    if (rewind !== null) {
      found = rewind
      for (const listener of rewindListeners) listener(rewind)
    }
    wake()
  }
  const log = openEventLog(link, file, tell)
  const verify = () => log.verify().then(tell)
  link.rpc.onLog((news) => {
    // A log that is taken back, like a connection that was lost, means that what was read may not stand.
    if (news === null || news.removed) verify().catch(wake)
    else {
      take(log, news)
      wake()
    }
  })
  await verify()
  await link.rpc.watch(watchedOf(link))
  return {
    log,
    onChange(listener: () => void) {
      wakeListeners.add(listener)
      return () => void wakeListeners.delete(listener)
    },
    onRewind(listener: (rewind: Rewind) => void) {
      rewindListeners.add(listener)
      if (found !== null) listener(found)
      return () => void rewindListeners.delete(listener)
    },
  }
}

/** What is no log of ours, or is cut short, only says that there may be news. */
function take(log: EventLog, news: RawLog): void {
  try {
    log.push(news)
  } catch {
    log.touch(null)
  }
}
