import type { SiteId } from '#base/ids.ts'

/** Longer questions are answered by nobody. */
export const QUESTION_LIMIT_BYTES = 1024

/** Small signed messages to all members. A hint only: chain and CIDs are enough to catch up. */
export interface Gossip {
  /** @returns how many peers took it; 0 is no error, but nobody got it. @throws ROTA-4xxx above 512 KiB */
  publish(message: Uint8Array): Promise<number>
  /**
   * `judge` runs before anything is passed on: 'ignore' drops a late or duplicate message, 'reject' also lowers the sender's score.
   * The sender is a member whose signature was checked; non-members never get this far.
   *
   * `answer` gives what this site would say again to a member that asks for it, a message as it publishes them; null when there is nothing.
   */
  start(
    judge: (message: Uint8Array, from: SiteId) => 'accept' | 'ignore' | 'reject',
    deliver: (message: Uint8Array, from: SiteId) => void,
    answer?: (question: Uint8Array, from: SiteId) => Uint8Array | null,
  ): Promise<void>
  /**
   * Asks a member for what this site lost of its messages: whatever it answers is judged and delivered as if it had been published. Only its author is
   * asked for a message, so that nobody has to be believed about another's.
   * @param question of at most 1 KiB
   * @throws ROTA-4005 when it cannot be reached or has nothing to say (retry), ROTA-4007 when its version does not answer such questions
   */
  ask(site: SiteId, question: Uint8Array, signal: AbortSignal): Promise<void>
  stop(): Promise<void>
  /** Members connected now. */
  peers(): readonly SiteId[]
  readonly traffic: { readonly bytesIn: number; readonly bytesOut: number }
}
