import type { Digest } from '#base/ids.ts'
import type { Part } from '#core/consent/parts.ts'

export type JoinVerdict =
  | { readonly ok: true }
  /** In the part of the two that is nearer to an earlier one. */
  | { readonly ok: false; readonly part: Part; readonly smallestDifference: number }

/**
 * What this site's dataset was already used for, so that two exact results never differ by a handful of patients:
 * refitting without one patient shows that patient's row in the difference of two sums (DESIGN section 8). There are sums over those who train and sums over
 * those who test, so that the rule is held to each of these two parts by itself. `testing`: those of `patients` who only test.
 */
export interface Differencing {
  /**
   * Each part is equal to, or at least 10 patients from, that part of each cohort used on this dataset in any exact run of any study; and together with
   * them it shows no fewer, however their sums are combined.
   */
  mayJoin(patients: readonly Digest[], testing: readonly Digest[]): Promise<JoinVerdict>
  /**
   * Whom to leave out, though they consent, so that the others may be used: nobody where all may, null where leaving out a few would not do.
   * Whoever rests may change, and it is told so that the others stay the same.
   */
  whoRests(patients: readonly Digest[], testing: readonly Digest[]): Promise<readonly Digest[] | null>
  /** On disk when it returns: called before a contribution leaves. @param root the cohort's commitment, which goes on chain */
  record(patients: readonly Digest[], root: Digest, testing: readonly Digest[]): Promise<void>
  /** Commitments of the cohorts recorded: one on chain that is not among them shows that this record is an old copy. */
  roots(): Promise<ReadonlySet<Digest>>
}
