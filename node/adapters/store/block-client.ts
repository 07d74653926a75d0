import type { CID } from 'multiformats/cid'
import { isRotaError, RotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import { BlockChannel } from './block-channel.ts'
import type { BlockNetwork, BlockTraffic } from './block-network.ts'
import { BLOCK_PROTOCOL } from './block-wire.ts'

export interface BlockClientParts {
  readonly network: BlockNetwork
  readonly traffic: BlockTraffic
  readonly noProgressMs: number
}

/** Asks members for blocks, over one lasting stream to each. */
export class BlockClient {
  readonly #parts: BlockClientParts
  readonly #channels = new Map<SiteId, Promise<BlockChannel>>()
  readonly #loads = new Map<SiteId, number>()

  constructor(parts: BlockClientParts) {
    this.#parts = parts
  }

  connected(): readonly SiteId[] {
    return this.#parts.network.connected()
  }

  /** Blocks asked of the site and not here yet. */
  load(site: SiteId): number {
    return this.#loads.get(site) ?? 0
  }

  /**
   * The block as it came, unchecked; null when the site does not have it. Relays end streams at will: as long as each brings something, another is opened.
   * @throws ROTA-4005, ROTA-4006, ROTA-4007 by the site, or the signal's reason
   */
  async fetch(site: SiteId, cid: CID, check: boolean, signal: AbortSignal): Promise<Uint8Array | null> {
    this.#loads.set(site, this.load(site) + 1)
    try {
      for (let useless = 0; ; ) {
        const channel = await this.#channel(site, signal)
        try {
          return await abortable(channel.ask(cid, check), signal)
        } catch (error) {
          if (signal.aborted || isRotaError(error, 'ROTA-4006') || isRotaError(error, 'ROTA-4001')) throw error
          if (!channel.wasUseful && ++useless > 1) throw error
        }
      }
    } catch (cause) {
      signal.throwIfAborted()
      throw cause instanceof RotaError ? cause : new RotaError('ROTA-4005', { site }, cause)
    } finally {
      this.#loads.set(site, this.load(site) - 1)
    }
  }

  async stop(): Promise<void> {
    for (const channel of this.#channels.values()) (await channel.catch(() => null))?.end(new Error('the node stops'))
    this.#channels.clear()
  }

  async #channel(site: SiteId, signal: AbortSignal): Promise<BlockChannel> {
    const known = this.#channels.get(site)
    const channel = await known?.catch(() => undefined)
    if (channel !== undefined && !channel.ended) return channel
    const newer = this.#channels.get(site)
    const opening = newer !== undefined && newer !== known ? newer : this.#open(site)
    this.#channels.set(site, opening)
    return abortable(opening, signal)
  }

  /** Not bound to one asker's signal: others may wait for the same stream; the network bounds the time. */
  async #open(site: SiteId): Promise<BlockChannel> {
    const { network, traffic, noProgressMs } = this.#parts
    const stream = await network.open(site, BLOCK_PROTOCOL, AbortSignal.timeout(noProgressMs))
    return new BlockChannel(stream, site, noProgressMs, (count) => {
      traffic.bytesIn += count
    })
  }
}

/** Rejects as soon as the signal aborts; what comes later is dropped. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    work.catch(() => undefined)
    return Promise.reject(signal.reason)
  }
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  return promise
}
