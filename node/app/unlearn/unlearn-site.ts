import type { TagInRound } from '#app/consent/consent-history.ts'
import type { Digest, RunId, SiteId, StudyId } from '#base/ids.ts'
import type { Model } from '#core/model/model.ts'
import type { Table } from '#core/model/table.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { ChainReader } from '#ports/chain.ts'
import type { ComparedWith } from './compared-rows.ts'

/** What of a hospital this needs: the chain, what it remembers of its cohorts, models and rows. None of it leaves the hospital but by the certificate. */
export interface UnlearnSite {
  readonly id: SiteId
  readonly name: string
  readonly chain: Pick<ChainReader, 'events' | 'run' | 'runs' | 'study' | 'studies'>
  /** Null: it has not reached this site. */
  protocol(study: StudyId): Promise<Protocol | null>
  model(run: RunId, root: Digest): Promise<Model | null>
  /** Whole on this site's disk. */
  has(cid: Digest): Promise<boolean>
  /** Root of the model that a run of this protocol begins with. */
  initialRoot(protocol: Protocol): Promise<Digest>
  /** This site's contributions under the programme, and whether the record was in their cohorts. */
  contributions(programme: string): Promise<readonly TagInRound[]>
  /**
   * Rows of patients who were in a run's cohorts here and have withdrawn, and rows to hold them beside. Null where the data cannot be read
   * any more.
   */
  rows(protocol: Protocol, run: RunId, without: RunId): Promise<JudgedRows | null>
}

export interface JudgedRows {
  readonly withdrawn: Table
  readonly others: Table
  readonly othersAre: ComparedWith
  /** This site's training rows of now: a private intercept is found on them. */
  readonly train: Table
}
