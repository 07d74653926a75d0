import { setTimeout as sleep } from 'node:timers/promises'
import type { Libp2p } from '@libp2p/interface'
import type { Helia } from 'helia'
import type { CID } from 'multiformats/cid'
import { nameOf } from '#base/errors.ts'
import type { Log } from '#ports/host.ts'
import { type BitswapPeer, bitswapPeers, startBitswapHost } from './bitswap-host.ts'
import { BlockFiles, hashesTo } from './block-files.ts'
import { digestOf, isOurs } from './cids.ts'
import { heliaLight } from './load-helia.ts'

export interface BitswapOptions {
  /** Folder of the blocks, the store's own. */
  readonly dir: string
  /** 32 bytes of the site's libp2p key: this host's key is made from it. */
  readonly seed: Uint8Array
  /** Where the IPFS nodes may dial; empty: this site dials them. */
  readonly listen: readonly string[]
  /** Whole multiaddrs, with the peer id. */
  readonly peers: readonly string[]
  readonly log: Log
}

/** The way to a hospital's own IPFS nodes, for those who opted in: they may fetch every block that lies here, and are asked for blocks that no member has. */
export interface Bitswap {
  /** What an IPFS node has to let in. */
  readonly peerId: string
  addresses(): readonly string[]
  /** Null when none of the peers has it, or none answers within a few seconds. */
  fetch(cid: CID, signal: AbortSignal): Promise<Uint8Array | null>
  stop(): Promise<void>
}

/** One that has a block answers in milliseconds; waiting longer would hold up a round for what nobody has. */
const ANSWER_MS = 5_000
const REDIAL_MS = 5_000
/** On a slow line a message takes longer than the default of 10 s, and is not sent again. */
const MESSAGE_MS = 600_000
const MESSAGES_QUEUED = 1_000

/**
 * Bitswap is loaded only here. What it hands out is encrypted like all objects of a round, but for protocols, which are public.
 * @throws ROTA-4004, ROTA-4008 as startBitswapHost
 */
export async function startBitswap(options: BitswapOptions): Promise<Bitswap> {
  const peers = bitswapPeers(options.peers)
  const libp2p = await startBitswapHost(options.seed, options.listen, peers)
  const stopped = new AbortController()
  try {
    const helia = await heliaOn(libp2p, options.dir)
    const dialling = keepDialling(libp2p, peers, options.log, stopped.signal)
    options.log.info('bitswap.listening', { peerId: libp2p.peerId.toString(), addresses: libp2p.getMultiaddrs().map(String).join(' ') })
    return {
      peerId: libp2p.peerId.toString(),
      addresses: () => libp2p.getMultiaddrs().map(String),
      fetch: (cid, signal) => fetchBlock(helia, libp2p, cid, signal, options.log),
      async stop() {
        stopped.abort()
        await dialling
        await helia.stop()
        await libp2p.stop()
      },
    }
  } catch (error) {
    await libp2p.stop()
    throw error
  }
}

/** Helia's bitswap over the store's files. Nothing else is on it: no router that finds anybody, no gateway. */
async function heliaOn(libp2p: Libp2p, dir: string): Promise<Helia> {
  const { withBitswap } = await import('@helia/bitswap')
  const helia = await heliaLight({ blockstore: new Kept(dir), blockBrokers: [], routers: [{ name: 'nobody', async *findProviders() {} }] })
  const limits = { messageSendTimeout: MESSAGE_MS, messageReceiveTimeout: MESSAGE_MS, sendBlocksTimeout: MESSAGE_MS, sendBlocksMaxQueueLength: MESSAGES_QUEUED }
  const networked = withBitswap(Object.assign(helia, { libp2p }), limits)
  await networked.start()
  return networked
}

/** The store's blocks to read; what is fetched is the store's to keep. */
class Kept extends BlockFiles {
  override async put(cid: CID): Promise<CID> {
    return cid
  }
}

async function fetchBlock(helia: Helia, libp2p: Libp2p, cid: CID, outer: AbortSignal, log: Log): Promise<Uint8Array | null> {
  const providers = libp2p.getPeers().map((peer) => peer.toCID())
  if (providers.length === 0 || !isOurs(cid)) return null
  const signal = AbortSignal.any([outer, AbortSignal.timeout(ANSWER_MS)])
  const session = helia.blockstore.createSession(cid, { providers, maxProviders: providers.length })
  try {
    for await (const block of session.get(cid, { signal })) if (hashesTo(block, cid)) return block
  } catch (error) {
    outer.throwIfAborted()
    log.debug('bitswap.not-found', { cid: digestOf(cid), reason: nameOf(error) })
  } finally {
    session.close()
  }
  return null
}

/** libp2p gives up after a few tries; an IPFS node may be away for a night. */
async function keepDialling(libp2p: Libp2p, peers: readonly BitswapPeer[], log: Log, signal: AbortSignal): Promise<void> {
  const away = new Set<string>()
  while (!signal.aborted) {
    for (const { id, address } of peers) {
      if (libp2p.getPeers().some((peer) => peer.toString() === id)) {
        if (away.delete(id)) log.info('bitswap.connected', { peerId: id })
        continue
      }
      const dialled = await libp2p.dial(address, { signal: AbortSignal.any([signal, AbortSignal.timeout(REDIAL_MS)]) }).then(
        () => true,
        () => false,
      )
      if (!dialled && !away.has(id)) log.warn('bitswap.away', { peerId: id })
      away.add(id)
    }
    await sleep(away.size === 0 ? REDIAL_MS : REDIAL_MS / 5, undefined, { signal }).catch(() => undefined)
  }
}
