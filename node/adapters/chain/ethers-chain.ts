import { type Address, address, type StudyId } from '#base/ids.ts'
import type { Chain, ChainReader } from '#ports/chain.ts'
import { noEventFile, openEventFile } from './event-file.ts'
import { openEventLog, type Rewind, watchedOf } from './event-log.ts'
import { type EndpointOptions, type Link, openLink } from './link.ts'
import { readerOf } from './reader.ts'
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
  readonly link: Link
}

export interface EthersReader extends ChainReader, Pick<EthersChain, 'onRewind' | 'link' | 'stop'> {}

/**
 * The contracts behind a JSON-RPC endpoint. Survives one that goes away and comes back: calls wait up to 20 s, then ask for a retry;
 * listeners are woken once it is back.
 * @throws ROTA-5001 nobody answers, ROTA-5004 another chain id, ROTA-5005 another genesis than remembered,
 *   ROTA-5006 and ROTA-5007 no contracts that this node works with
 */
export async function connectChain(options: ChainOptions & { readonly signer: string }): Promise<EthersChain>
export async function connectChain(options: ChainOptions & { readonly signer: null }): Promise<EthersReader>
export async function connectChain(options: ChainOptions): Promise<EthersChain | EthersReader> {
  const link = await openLink({ ...options, contracts: address(options.contracts) })
  try {
    const watched = await watchEvents(link, options.cacheDir)
    const base = { ...readerOf(link, watched.log), onChange: watched.onChange, onRewind: watched.onRewind, link, stop: () => link.rpc.stop() }
    if (options.signer === null) return base
    const sender = openSender(link.rpc, link.chainId, options.signer)
    const send = sendTo(link, sender, (block, index) => watched.log.touch(block, index))
    return { ...base, ...writerOf(send), account: sender.account }
  } catch (error) {
    await link.rpc.stop()
    throw error
  }
}

/** The event log, kept current by one subscription to the contracts' logs. */
async function watchEvents(link: Link, cacheDir: string | undefined) {
  const file = cacheDir === undefined ? noEventFile : openEventFile(cacheDir, link.genesis, link.addresses.RotaDirectory, link.url)
  const log = openEventLog(link, file)
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
  const verify = async () => {
    const rewind = await log.verify()
    if (rewind === null) return
    found = rewind
    for (const listener of rewindListeners) listener(rewind)
  }
  link.rpc.onLog((news) => {
    // A log that is taken back, like a connection that was lost, means that what was read may not stand.
    if (news === null || news.removed) verify().then(wake, wake)
    else {
      log.push(news)
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
