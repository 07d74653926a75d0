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
  /**
   * Whom to leave out, though they consent, so that the others may be used: nobody where all may, null where leaving out a few would not do.
   * Whoever rests may change, and it is told so that the others stay the same. The rule is held to the patients who train and to those who test, each
   * by themselves.
   * @param testing those of `patients` who only test
   */
  whoRests(patients: readonly Digest[], testing: readonly Digest[]): Promise<readonly Digest[] | null>
  /** On disk when it returns: called before a contribution leaves. @param root the cohort's commitment, which goes on chain */
  record(patients: readonly Digest[], root: Digest, testing?: readonly Digest[]): Promise<void>
  /** Commitments of the cohorts recorded: one on chain that is not among them shows that this record is an old copy. */
  roots(): Promise<ReadonlySet<Digest>>
}
