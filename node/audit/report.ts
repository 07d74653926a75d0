import type { Digest, RoundNo, RunId, SiteId, StudyId } from '#base/ids.ts'
import type { ObjectKind } from '#ports/model-store.ts'

/** What an audit found. `ok` is false as soon as one round does not hold, or stays masked. */
export interface AuditReport {
  readonly rounds: readonly RoundReport[]
  /** Everything that does not hold, with the object, block and leaf where it was found. */
  readonly faults: readonly Fault[]
  /** What an auditor should know and what breaks no round. */
  readonly notes: readonly string[]
  readonly ok: boolean
}

/** A round that ended with a model: closed, or refused (its base is kept). */
export interface RoundReport {
  readonly run: RunId
  readonly study: StudyId
  readonly round: RoundNo
  readonly status: 'continue' | 'finished' | 'refused'
  readonly leader: SiteId
  readonly publisher: SiteId | null
  readonly included: readonly SiteId[]
  readonly sumRoot: Digest | null
  readonly modelRoot: Digest
  /** One of VERDICTS, "masks not taken off: " or "does not hold: " and why. */
  readonly verdict: string
}

export const VERDICTS = {
  recomputed: 'recomputed',
  /** Updates were thinned; the stored sum has the published root, and the model follows from it. */
  fromSum: 'recomputed from the stored sum',
  /** The sum, the base model or the key is gone: what the chain alone can show was checked. */
  attested: 'attested, not recomputed',
} as const

/** Of a masked round: its sum is known, and nothing in the stores takes the masks off. Such a report is not `ok`. */
export const stillMasked = (why: readonly string[]): string => `masks not taken off: ${why.join('; ')}`

export const doesNotHold = (why: string): string => `does not hold: ${why}`

export interface Fault {
  readonly run: RunId
  readonly round: RoundNo
  readonly about: 'set' | 'update' | 'sum' | 'masks' | 'model' | 'attestation' | 'lineage' | 'key' | 'protocol'
  readonly message: string
  readonly object: { readonly kind: ObjectKind; readonly cid: Digest; readonly site: SiteId | null } | null
  /** The block whose bytes do not hash to its name, and where. */
  readonly block: Digest | null
  readonly source: string | null
  /** First 1 KiB leaf, counted from 0, that differs from what was recomputed. */
  readonly leaf: number | null
}
