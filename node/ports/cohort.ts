import type { Digest, RoundNo, RunId } from '#base/ids.ts'
import type { SplitTable } from '#core/model/table.ts'
import type { Protocol } from '#core/protocol/protocol.ts'

/** The site's patients, and which of them a study may use now. */
export interface Cohort {
  /**
   * Rows of patients who are granted under the protocol's programme and not withdrawn, locally or among `withdrawnTags`.
   * Asked again in every round.
   * @throws ROTA-3xxx when the data do not fit the protocol
   */
  consented(protocol: Protocol, withdrawn: ReadonlySet<Digest>): Promise<ConsentedCohort>
  /** Keeps who was committed to in a round, so that the site can show it later whatever becomes of its data. On disk when it returns. */
  remember(cohort: ConsentedCohort, protocol: Protocol, run: RunId, round: RoundNo): Promise<void>
}

export interface ConsentedCohort {
  readonly table: SplitTable
  /** Stable, site-secret keyed digests of the patients used (never leaves the site): for the differencing rule. */
  readonly patients: readonly Digest[]
  /** Those of `patients` whose rows only test. Of them there are sums of their own. */
  readonly testing: readonly Digest[]
  /** Consent tags of the patients used, sorted; empty for an opt-out study without tags. Never leave the site. */
  readonly tags: readonly Digest[]
  /** Commitment to exactly these patients in this round: what `contribute` carries. No two rounds' have anything in common. */
  rootIn(run: RunId, round: RoundNo): Digest
  /** Without these, though they consent. @param patients of `patients` */
  without(patients: ReadonlySet<Digest>): ConsentedCohort
}
