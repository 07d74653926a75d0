import { appendFileSync, readFileSync } from 'node:fs'
import type { RoundNo, RunId, SiteId } from '#base/ids.ts'
import type { NodeEvent } from './run-node.ts'

/** What only this site knows of a round: what it moved, and how long it trained and worked. On its own disk, for `study show`. */
export interface RoundNote {
  readonly run: RunId
  readonly round: RoundNo
  readonly bytesIn: number
  readonly bytesOut: number
  /** Null where it did not contribute. */
  readonly trainMs: number | null
  /** Processor time of its node while it saw the round, training apart; older notes are without. */
  readonly workMs?: number
  /** Patients who consent and were left out of it, where there were some. */
  readonly resting?: number
  /** Of a masked round that was repeated in groups: those whose sums this site left out. */
  readonly leftOut?: readonly (readonly SiteId[])[]
}

/**
 * Adds a line to the file for each round that ends while the node runs (about 100 bytes). A note that cannot be written is lost:
 * it must not stop a round.
 */
export function noteRounds(file: string): (event: NodeEvent) => void {
  const contributed = new Map<string, Pick<RoundNote, 'trainMs' | 'resting'>>()
  const groups = new Map<string, (readonly SiteId[])[]>()
  return (event) => {
    if (event.event === 'progress' && event.progress.kind === 'group-left-out') {
      const { run, round, sites } = event.progress
      groups.set(`${run}/${round}`, [...(groups.get(`${run}/${round}`) ?? []), sites])
    }
    if (event.event === 'progress' && event.progress.kind === 'contributed')
      contributed.set(`${event.progress.run}/${event.progress.round}`, own(event.progress))
    if (event.event !== 'round') return
    const { run, round, bytesIn, bytesOut } = event.story
    const workMs = Math.round(event.story.workMs)
    const key = `${run}/${round}`
    const leftOut = groups.get(key)
    const note: RoundNote = { run, round, bytesIn, bytesOut, workMs, trainMs: null, ...contributed.get(key), ...(leftOut === undefined ? {} : { leftOut }) }
    for (const each of [contributed, groups]) each.delete(key)
    try {
      appendFileSync(file, `${JSON.stringify(note)}\n`, { mode: 0o600 })
    } catch {}
  }
}

const own = ({ trainMs, resting }: { readonly trainMs: number; readonly resting: number }): Pick<RoundNote, 'trainMs' | 'resting'> =>
  resting > 0 ? { trainMs, resting } : { trainMs }

/** Of those that tell it; undefined where none does. */
export function workMsOf(notes: readonly RoundNote[]): number | undefined {
  const told = notes.flatMap(({ workMs }) => (workMs === undefined ? [] : [workMs]))
  return told.length === 0 ? undefined : told.reduce((sum, ms) => sum + ms, 0)
}

/** By `run/round`; a line torn by a crash is left out. */
export function readRoundNotes(file: string): ReadonlyMap<string, RoundNote> {
  const notes = new Map<string, RoundNote>()
  for (const line of linesOf(file)) {
    try {
      const note = JSON.parse(line) as RoundNote
      notes.set(`${note.run}/${note.round}`, note)
    } catch {}
  }
  return notes
}

function linesOf(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
  } catch {
    return []
  }
}
