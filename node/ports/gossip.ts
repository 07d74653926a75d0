import type { SiteId } from '#base/ids.ts'

/** Small signed messages to all members. A hint only: chain and CIDs are enough to catch up. */
export interface Gossip {
  /** @returns how many peers took it; 0 is no error, but nobody got it. @throws ROTA-4xxx above 512 KiB */
  publish(message: Uint8Array): Promise<number>
  /**
   * `judge` runs before anything is passed on: 'ignore' drops a late or duplicate message, 'reject' also lowers the sender's score.
   * The sender is a member whose signature was checked; non-members never get this far.
   */
  start(judge: (message: Uint8Array, from: SiteId) => 'accept' | 'ignore' | 'reject', deliver: (message: Uint8Array, from: SiteId) => void): Promise<void>
  stop(): Promise<void>
  /** Members connected now. */
  peers(): readonly SiteId[]
  readonly traffic: { readonly bytesIn: number; readonly bytesOut: number }
}
