import type { Stream } from '@libp2p/interface'
import type { SiteId } from '#base/ids.ts'

/**
 * What the store asks of the network: streams between members, by site. adapters/network gives it. A stream that has nothing left to send
 * (writeBufferLength 0) holds none of the sender's buffers any more: they may be written over.
 */
export interface BlockNetwork {
  connected(): readonly SiteId[]
  serve(protocol: string, handler: (stream: Stream, from: SiteId) => Promise<void>): Promise<void>
  unserve(protocol: string): Promise<void>
  /** @throws ROTA-4xxx when the site cannot be reached or does not speak `protocol` */
  open(site: SiteId, protocol: string, signal: AbortSignal): Promise<Stream>
}

/** Bytes of blocks moved since start. */
export interface BlockTraffic {
  bytesIn: number
  bytesOut: number
}

/** A site that moves no byte for this long is given up; the whole may take as long as it takes. */
export const NO_PROGRESS_MS = 30_000
