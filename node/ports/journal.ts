import type { Attempt, Bitmap, Digest, RoundNo, RunId } from '#base/ids.ts'

/**
 * What this site has done or decided, written and synced before a message or transaction leaves.
 * A node that starts again reads it beside the chain (round/next.ts) and goes on.
 */
export interface Journal {
  /** On disk when it returns, in one write; after a death in the middle the first of them may be there without the rest. */
  append(...entries: readonly JournalEntry[]): Promise<void>
  /** In order; a torn last line is left out. Entries of runs that ended may have been compacted away. */
  entries(): readonly JournalEntry[]
  /** Drops entries of rounds before `round` of `run`, except frozen sets, sets that shares were shown for, what operators said, who was left out, and the run's last contribution. */
  compact(run: RunId, round: RoundNo): Promise<void>
  /** Wipes the secrets of rounds before `round` of `run`; that there were some stays known. Gone from the disk when it returns, and `entries` there, in the same write. */
  burn(run: RunId, round: RoundNo, ...entries: readonly JournalEntry[]): Promise<void>
}

export type JournalEntry =
  | {
      readonly kind: 'contributed'
      readonly run: RunId
      readonly round: RoundNo
      readonly base: Digest
      readonly root: Digest
      readonly cid: Digest
      readonly cohortRoot: Digest
      /** Of a masked update: with whom it shares masks. Where the chain shows others, it is of no use any more. */
      readonly neighbours?: Bitmap
    }
  /** The round's noise is charged to a dataset of this site, before it trains. */
  | { readonly kind: 'charged'; readonly run: RunId; readonly round: RoundNo; readonly dataset: Digest }
  | { readonly kind: 'abstained'; readonly run: RunId; readonly round: RoundNo; readonly reason: string }
  | { readonly kind: 'witnessed'; readonly run: RunId; readonly round: RoundNo; readonly slice: number; readonly held: Bitmap }
  | { readonly kind: 'published'; readonly run: RunId; readonly round: RoundNo; readonly attempt: Attempt; readonly root: Digest; readonly cid: Digest }
  | {
      readonly kind: 'attested'
      readonly run: RunId
      readonly round: RoundNo
      readonly attempt: Attempt
      readonly status: string
      readonly root: Digest
      readonly cid: Digest
      /** Of a masked sum that it found wrong: into how many slices that is cut, for a dispute. */
      readonly cut?: number
    }
  /** A set this site acted on: if the chain ever shows another for the round, the node halts. */
  | { readonly kind: 'frozen'; readonly run: RunId; readonly round: RoundNo; readonly included: Bitmap }
  /**
   * Of a masked round, as are the next four: this site's secrets (0x-hex), sealed under a key of its vault; '' once they are burnt. Drawn once for a round
   * and all that deals are bound to, `ctx`.
   */
  | { readonly kind: 'keys'; readonly run: RunId; readonly round: RoundNo; readonly ctx: Digest; readonly sealed: string }
  /** A deal is made once: a restart sends the same. `shares`: by holder what it dealt (0x-hex), sealed and wiped as `keys` are. */
  | {
      readonly kind: 'dealt'
      readonly run: RunId
      readonly round: RoundNo
      readonly ctx: Digest
      readonly root: Digest
      readonly cid: Digest
      readonly shares: string
    }
  /** To what its deal is bound. `root`, `cid`: what it dealt. `held`, `heldDeals`: whose deals this site holds, and which, as the chain has it; `shares`: what it has of them (0x-hex), sealed and wiped as `keys` are. */
  | {
      readonly kind: 'keyed'
      readonly run: RunId
      readonly round: RoundNo
      readonly ctx: Digest
      readonly root: Digest
      readonly cid: Digest
      readonly held: Bitmap
      readonly heldDeals: string
      readonly shares: string
    }
  /** Of what this site dealt the shares of these were shown to all, before anybody masked: over all that the chain ever showed of a round they may not be more than the rest bears. */
  | { readonly kind: 'justified'; readonly run: RunId; readonly round: RoundNo; readonly ctx: Digest; readonly holders: Bitmap }
  /** Shares were shown for this frozen set: never for another of the same run and base model. */
  | { readonly kind: 'released'; readonly run: RunId; readonly round: RoundNo; readonly base: Digest; readonly included: Bitmap }
  /** After a refused masked sum this site's operators said, on this model, to go on. */
  | { readonly kind: 'wentOn'; readonly run: RunId; readonly round: RoundNo; readonly base: Digest }
  /** Of a masked run: sites whose shares were of another secret than promised. This one deals with them no more. */
  | { readonly kind: 'leftOut'; readonly run: RunId; readonly round: RoundNo; readonly sites: Bitmap }
  | { readonly kind: 'adopted'; readonly run: RunId; readonly round: RoundNo; readonly root: Digest; readonly cid: Digest }
