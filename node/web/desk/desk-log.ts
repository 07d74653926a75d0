import type { Digest } from '#base/ids.ts'

/**
 * What is noted at the desk. A look at a person is any of `LOOKS`; `limited` is a look that was refused; `declared` says that the looks of
 * a day are on chain, `continued` that an older part of the log was put away.
 */
export type DeskAct = 'signed in' | 'refused' | 'signed out' | (typeof LOOKS)[number] | 'limited' | 'declared' | 'continued'

export const LOOKS = ['looked', 'recorded', 'withdrew', 'confirmed', 'printed', 'previewed', 'imported'] as const

/** One entry of state/desk.log: who did what, to whom, and when. A patient is a keyed digest of the site: the file alone names nobody. */
export interface DeskEntry {
  /** ISO time. */
  readonly at: string
  /** The steward's account; empty for what the desk does by itself. */
  readonly who: string
  readonly what: DeskAct
  readonly patient?: Digest
  readonly programme?: string
  /** Of `signed in`: the time step of the code that was used, so that none is used twice. */
  readonly step?: number
  /** Of `declared`: the day (UTC, ISO date), and how many looks it had. */
  readonly day?: string
  readonly looks?: number
  /** Of `continued`, the first entry of a log: its number, how many entries it had, and SHA-256 of the file. */
  readonly before?: { readonly part: number; readonly entries: number; readonly digest: Digest }
}

/** The record of the desk: it only grows, and is on disk before the page shows anything. */
export interface DeskLog {
  /** All of it, oldest first. @throws ROTA-6002 when an entry does not open */
  entries(): Promise<readonly DeskEntry[]>
  /** @throws ROTA-1306 when the disk refuses; then nothing may be shown */
  append(entries: readonly DeskEntry[]): Promise<void>
}

export const isLook = ({ what }: Pick<DeskEntry, 'what'>): boolean => (LOOKS as readonly string[]).includes(what)
