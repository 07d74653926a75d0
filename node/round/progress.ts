import type { Attempt, Digest, RoundNo, RunId, SiteId } from '#base/ids.ts'
import type { RunState } from '#ports/chain.ts'
import type { RowName } from './next.ts'

/** What a person who watches a node may be told. Never anything about a patient. */
export type Progress =
  | { readonly kind: 'step'; readonly run: RunId; readonly round: RoundNo; readonly row: RowName; readonly ms: number }
  | {
      readonly kind: 'contributed'
      readonly run: RunId
      readonly round: RoundNo
      readonly bytes: number
      readonly trainMs: number
      readonly backend: string | null
      /** Patients who consent and were left out of an exact run. Nobody outside is told. */
      readonly resting: number
    }
  /** A member has an exact run halted, since its patients changed. `timesToday`: in so many runs within a day. */
  | { readonly kind: 'wish'; readonly run: RunId; readonly round: RoundNo; readonly site: SiteId; readonly timesToday: number }
  | { readonly kind: 'abstained'; readonly run: RunId; readonly round: RoundNo; readonly reason: string; readonly detail: string }
  /** The limit for contributing began anew for this site's sake. */
  | { readonly kind: 'asked-for-time'; readonly run: RunId; readonly round: RoundNo }
  | { readonly kind: 'published'; readonly run: RunId; readonly round: RoundNo; readonly attempt: Attempt; readonly bytes: number }
  | { readonly kind: 'wrong-sum'; readonly run: RunId; readonly round: RoundNo; readonly publisher: SiteId }
  /** Sites that showed shares other than those that they were given; the sum was unmasked without them. */
  | { readonly kind: 'wrong-shares'; readonly run: RunId; readonly round: RoundNo; readonly sites: readonly SiteId[] }
  /** What came of the published sum is not borne out by this site: it is beyond the protocol's bounds, or worse on the site's own test rows. */
  | { readonly kind: 'refused-sum'; readonly run: RunId; readonly round: RoundNo; readonly why: 'bounds' | 'vote' }
  /** In a round of groups: sites of one whose sum this site leaves out, for it spoils the model. */
  | { readonly kind: 'group-left-out'; readonly run: RunId; readonly round: RoundNo; readonly sites: readonly SiteId[]; readonly why: 'bounds' | 'vote' }
  /** The sum of a round that repeats a refused one is not shown while these are away: it would tell of them beside the other. */
  | { readonly kind: 'waits-for-sites'; readonly run: RunId; readonly round: RoundNo; readonly sites: readonly SiteId[] }
  /** A published sum stays masked, and the run pauses: these keyed, and showed no shares that this site knows of. */
  | { readonly kind: 'stays-masked'; readonly run: RunId; readonly round: RoundNo; readonly sites: readonly SiteId[] }
  /** Nobody can unmask this round: too few of it are left, or one of its set has no place. Nothing is shown, and it is void. */
  | { readonly kind: 'cannot-unmask'; readonly run: RunId; readonly round: RoundNo; readonly code: string; readonly message: string }
  /** Sites whose shares rebuild another secret than they promised, so that nobody can unmask the sum: the round is repeated by all others. */
  | { readonly kind: 'false-shares'; readonly run: RunId; readonly round: RoundNo; readonly sites: readonly SiteId[] }
  | { readonly kind: 'adopted'; readonly run: RunId; readonly round: RoundNo; readonly modelRoot: Digest }
  | { readonly kind: 'run-over'; readonly run: RunId; readonly state: RunState }
  | { readonly kind: 'trouble'; readonly run: RunId; readonly round: RoundNo; readonly code: string; readonly message: string }
