/** Half of it is forgotten after so long. */
const HALF_LIFE_MS = 60_000
const WEIGHT = -20
/** Below it nothing of a member is read: the third rejected message in a row gets there. Gossipsub's own graylist threshold. */
export const UNREAD_SCORE = -80

/**
 * What rejected messages cost the member who signed them: their number squared × −20, fading. Gossipsub's own count would punish whoever
 * brought the message too, and members in good faith pass on what another, who has seen a later block, rejects.
 */
export class Penalties {
  readonly #counts = new Map<string, { readonly count: number; readonly atMs: number }>()
  readonly #nowMs: () => number

  /** @param nowMs a clock that never goes back */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  add(peerId: string): void {
    this.#counts.set(peerId, { count: this.#count(peerId) + 1, atMs: this.#nowMs() })
  }

  /** 0 or less. */
  scoreOf(peerId: string): number {
    return WEIGHT * this.#count(peerId) ** 2 || 0
  }

  #count(peerId: string): number {
    const last = this.#counts.get(peerId)
    return last === undefined ? 0 : last.count * 0.5 ** ((this.#nowMs() - last.atMs) / HALF_LIFE_MS)
  }
}
