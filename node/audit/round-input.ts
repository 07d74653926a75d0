import type { Digest } from '#base/ids.ts'
import type { Model } from '#core/model/model.ts'
import type { ChainReader } from '#ports/chain.ts'
import type { BlockSource } from './block-source.ts'
import type { KeyFinding } from './epoch-keys.ts'
import { type EventOf, eventsOf, type RoundLog, type RunLog } from './run-log.ts'
import type { StudyAudit } from './study-audit.ts'

/** A model whose bytes have the root that the chain names. */
export interface KnownModel {
  readonly model: Model
  readonly bytes: Uint8Array
  readonly root: Digest
}

/** What the run stood at. */
export interface Base {
  readonly root: Digest
  readonly cid: Digest
  /** Null when its bytes are gone. */
  readonly known: KnownModel | null
  /** Why the run's first model is not its protocol's. */
  readonly stray: string | null
}

/** All that a round is checked against. */
export interface RoundInput {
  readonly chain: Pick<ChainReader, 'chainId' | 'genesis' | 'coordinator'>
  readonly run: RunLog
  readonly round: RoundLog
  readonly ended: EventOf<'RoundClosed' | 'RoundRefused'>
  readonly study: StudyAudit
  readonly key: KeyFinding
  readonly base: Base
  readonly sources: readonly BlockSource[]
}

/** Into how many slices the round's custodians shared its vectors: as the protocol says, or as far as they were witnessed where it is gone. */
export const slicesIn = ({ study, round }: Pick<RoundInput, 'study' | 'round'>): number =>
  study.protocol?.slices ?? Math.max(1, ...eventsOf(round, 'Witnessed').map((event) => event.slice + 1))
