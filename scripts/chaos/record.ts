import type { FaultPlan } from '#adapters/sim/faults.ts'
import type { Participation } from '#audit/participation.ts'
import type { AuditReport } from '#audit/report.ts'
import type { Bitmap, Digest, RoundNo, RunId, SiteId } from '#base/ids.ts'
import type { ChainEvent, RunView, StudyRules } from '#ports/chain.ts'
import type { JournalEntry } from '#ports/journal.ts'
import type { StudyKind } from './chaos-study.ts'

/** What one seed decides before anything happens. */
export interface Draw {
  readonly seed: number
  readonly sites: number
  readonly study: StudyKind
  readonly rules: StudyRules
  readonly plan: FaultPlan
  /** To the chain such a study is a masked one. */
  readonly isInGroups: boolean
}

/** So long nothing may close once a majority is there: far more than all limits of a round one after the other. */
export const STALLED_MS = 30 * 60_000

/** All that is known of a run when it is over: what the invariants are checked on. */
export interface RunRecord {
  readonly draw: Draw
  /** Sites that told no lie on purpose. */
  readonly honest: readonly SiteId[]
  /** Null when no run could be opened. */
  readonly view: RunView | null
  /** Why the run was given up; null when it came to its end. */
  readonly gaveUp: string | null
  /** The chain's log as it stands at the end. */
  readonly events: readonly ChainEvent[]
  /** All that the chain ever said, blocks that were lost included, and when by the world's clock. */
  readonly said: readonly { readonly atMs: number; readonly event: ChainEvent }[]
  readonly timeline: readonly Entry[]
  /** Each vector that a site made, by its root. */
  readonly vectors: ReadonlyMap<Digest, Uint8Array>
  readonly journals: ReadonlyMap<SiteId, readonly JournalEntry[]>
  readonly restoredAtMs: ReadonlyMap<SiteId, readonly number[]>
  /** Sites on whose disk the final model lies whole. */
  readonly holders: Bitmap
  /** Sites that were up at the end. */
  readonly up: Bitmap
  /** Sites whose node ended with what needs a person. */
  readonly stopped: readonly { readonly site: SiteId; readonly code: string; readonly error: string }[]
  /** Of those, who was right to: null stands for any site. */
  readonly expectedStops: readonly { readonly site: SiteId | null; readonly code: string }[]
  /** Sites whose membership ended on the way, or never began. */
  readonly gone: readonly SiteId[]
  /** Patients who withdrew, by their site. */
  readonly withdrawals: readonly { readonly site: SiteId; readonly atMs: number }[]
  /** "run/round" of frozen sets that the chain lost. */
  readonly lostSets: ReadonlySet<string>
  /** Named by honest custodians though no byte of them ever lay on their disks. */
  readonly unheld: readonly { readonly round: number; readonly slice: number; readonly witness: SiteId; readonly update: SiteId }[]
  /** Shares that sites showed in masked rounds, as they left. */
  readonly shown: readonly {
    readonly atMs: number
    readonly site: SiteId
    readonly run: RunId
    readonly round: RoundNo
    readonly survivors: Bitmap
    readonly about: Bitmap
  }[]
  /** How often each fault struck. */
  readonly strikes: ReadonlyMap<string, number>
  readonly casualties: readonly { readonly site: SiteId; readonly why: string; readonly fromMs: number; readonly toMs: number }[]
  readonly outages: readonly { readonly fromMs: number; readonly toMs: number }[]
  /** What an auditor finds in what a study in groups left; null of others, and of a run that was given up. */
  readonly audit: AuditReport | null
  /** What is told of who took part; null when no run could be opened. */
  readonly told: (Pick<Participation, 'rounds'> & { readonly absences: readonly string[] }) | null
  readonly endMs: number
}

/** One line of the story, as it came. */
export interface Entry {
  readonly atMs: number
  readonly site: SiteId | null
  readonly kind: 'fault' | 'row' | 'chain' | 'told'
  readonly text: string
  readonly round: number | null
}

type Of<K extends ChainEvent['kind']> = Extract<ChainEvent, { kind: K }>

export const only = <K extends ChainEvent['kind']>(events: readonly ChainEvent[], kind: K): Of<K>[] => events.filter((e): e is Of<K> => e.kind === kind)
