import type { SiteId } from '#base/ids.ts'

/** One cached list of who belongs, driven by SiteRegistry's events: gater, gossip and block exchange all read this one. */
export interface Members {
  /** The active site behind a libp2p PeerId (text), or undefined: then it gets nothing. */
  siteOf(peerId: string): SiteId | undefined
  list(): readonly Member[]
  /** Calls back after the list changed; returns how to stop. */
  onChange(listener: () => void): () => void
}

export interface Member {
  readonly site: SiteId
  readonly peerId: string
  readonly multiaddrs: readonly string[]
}
