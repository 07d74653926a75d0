import type { ErrorCode } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'

/** A programme under which consents can be recorded here. */
export interface DeskProgramme {
  readonly name: string
  readonly lawfulBasis: 'consent' | 'opt-out' | null
  /** Of its newest terms; null where it has none on chain. */
  readonly terms: { readonly version: number; readonly expires: string; readonly titles: Readonly<Record<string, string>> } | null
}

/** How one patient stands under one programme. */
export interface PersonConsent {
  readonly programme: string
  /** `ended`: it was given up to a day that is over. */
  readonly state: 'granted' | 'ended' | 'withdrawn' | 'none'
  /** ISO time of the last entry; null where there is none. */
  readonly since: string | null
  /** ISO: given up to this moment only. */
  readonly until: string | null
  readonly tag: Digest | null
  /** The block in which the patient's own withdrawal is; null: none, or the chain is away. */
  readonly withdrawnAtBlock: number | null
}

/** What the desk shows of the one patient whom the steward named. */
export interface Person {
  /** As the steward wrote it. */
  readonly patient: string
  /** Whether the data file has rows of this patient; null where it cannot be read. */
  readonly inData: boolean | null
  readonly consents: readonly PersonConsent[]
  /** False: whether a patient withdrew by card or page cannot be told now. */
  readonly chainReached: boolean
}

export interface TellsProblem {
  /** Why the chain does not know yet; what the desk did stands. */
  readonly problem: {
    readonly code: ErrorCode
    readonly what: string
    readonly remedy: string
    /** Of the page's own words for the code. */
    readonly values: Readonly<Record<string, string | number>>
  } | null
}

/** One Consent of a FHIR file, and what would become or became of it. */
export interface ImportRow {
  /** Where it lies in the file. */
  readonly place: string
  /** As this site names the patient; null where the file does not say it so that the site understands. */
  readonly patient: string | null
  readonly outcome: 'recorded' | 'withdrawn' | 'unchanged' | 'refused'
  readonly reason: string
  /** FHIRPath of what is refused. */
  readonly path: string | null
  readonly error: TellsProblem['problem']
}

/** @see importFhir */
export interface ImportAnswer extends TellsProblem {
  readonly programme: string
  readonly recorded: number
  readonly withdrawn: number
  readonly unchanged: number
  readonly refused: number
  readonly rows: readonly ImportRow[]
}

/** For one patient, under one programme. */
export interface DeskAct {
  readonly patient: string
  readonly programme: string
  /** BCP 47: what is handed over is printed in it. */
  readonly language: string
}

export interface ImportFile {
  /** The file's text. */
  readonly fhir: string
  readonly programme: string
  readonly language: string
}
