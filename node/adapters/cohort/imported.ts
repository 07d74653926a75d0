import type { Digest } from '#base/ids.ts'

/** What the record keeps of a consent that was not taken down at this desk but came from the hospital's own system. Names nobody. */
export interface Imported {
  /** Keyed digest of what that system calls the consent; null where it has no name of its own. */
  readonly from: Digest | null
  /** When it was given, as written there: a year, a day or a second. */
  readonly givenAt: string | null
  /** ISO: when it ends by itself, as that system has it; the programme's terms may end before. */
  readonly until?: string
  readonly by: 'patient' | 'representative' | 'another' | null
  /** As a Provenance beside it has it. */
  readonly signature?: { readonly when: string; readonly type: string; readonly format: string | null; readonly data: string | null }
}

/** Beside what each entry about a consent holds. */
export interface EntryNote {
  readonly imported?: Imported
  /** ISO: the consent counts up to this moment, not including it. */
  readonly until?: string
}
