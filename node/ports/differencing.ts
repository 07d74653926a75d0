import type { Digest } from '#base/ids.ts'

/**
 * What this site's dataset was already used for, so that two exact results never differ by a handful of patients:
 * refitting without one patient shows that patient's row in the difference of two sums (DESIGN section 8).
 */
export interface Differencing {
  /**
   * Equal to, or at least 10 patients from, each cohort used on this dataset in any exact run of any study; and together with them it shows no
   * fewer, however their sums are combined.
   */
  mayJoin(patients: readonly Digest[]): Promise<{ readonly ok: true } | { readonly ok: false; readonly smallestDifference: number }>
  /** On disk when it returns: called before a contribution leaves. @param root the cohort's commitment, which goes on chain */
  record(patients: readonly Digest[], root: Digest): Promise<void>
  /** Commitments of the cohorts recorded: one on chain that is not among them shows that this record is an old copy. */
  roots(): Promise<ReadonlySet<Digest>>
}
