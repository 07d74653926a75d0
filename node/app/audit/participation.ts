import { type RoundNote, workMsOf } from '#app/node/round-notes.ts'
import { type Participation, participationOf, type SitePart } from '#audit/participation.ts'
import { absenceLines } from '#audit/participation-text.ts'
import type { RunId, SiteId } from '#base/ids.ts'
import type { ChainEvent } from '#ports/chain.ts'
import type { ToldShare } from '#wire/share.ts'
import type { ToldShares } from './participation-shares.ts'

/** How a run's rounds were shared, with the sites' names: shown wherever a run is shown. */
export interface NamedParticipation {
  /** A sentence for each site that was not in every round or did not do its share; none: all were there. */
  readonly absences: readonly string[]
  readonly shares: readonly NamedShare[]
}

export interface NamedShare {
  readonly site: string
  /** Rounds of which it is known whether it was in. */
  readonly rounds: number
  readonly in: number
  readonly missing: number
  readonly abstained: number
  readonly led: number
  readonly published: number
  readonly passedOver: number
  readonly witnessed: number
  readonly attested: number
  /** Chain seconds from a round's opening to its contribution, the middle one; null when it never contributed. */
  readonly contributedAfter: number | null
  /** What its own node noted of the rounds that it saw. Null for other sites: theirs is known to them, and perhaps told. */
  readonly here: { readonly rounds: number; readonly bytesIn: number; readonly bytesOut: number; readonly trainMs: number; readonly workMs?: number } | null
  /** What another site's node said of itself; seconds rounded up by it. Null where nothing was told here. */
  readonly told: ToldShare | null
}

/** @param own this site with its notes and what the others told it, where there is one */
export function namedParticipation(
  events: readonly ChainEvent[],
  run: RunId,
  name: (site: number) => string,
  own: { readonly site: SiteId; readonly notes: ReadonlyMap<string, RoundNote>; readonly told: ToldShares } | null = null,
): NamedParticipation {
  const found = participationOf(events, run)
  return {
    absences: absenceLines(found, name),
    shares: found.sites.map((part) =>
      part.site === own?.site ? shareOf(part, name, noted(found, own.notes), null) : shareOf(part, name, null, own?.told[run]?.[part.site] ?? null),
    ),
  }
}

const shareOf = (part: SitePart, name: (site: number) => string, here: NamedShare['here'], told: NamedShare['told']): NamedShare => ({
  site: name(part.site),
  rounds: part.rounds,
  in: part.in,
  missing: part.missingRounds,
  abstained: part.abstained.reduce((sum, { rounds }) => sum + rounds.length, 0),
  led: part.led.length,
  published: part.published,
  passedOver: part.passedOver.length,
  witnessed: part.witnessed,
  attested: part.attested,
  contributedAfter: part.contributedAfter?.median ?? null,
  here,
  told,
})

function noted({ run, rounds }: Participation, notes: ReadonlyMap<string, RoundNote>): NamedShare['here'] {
  const seen = rounds.flatMap(({ round }) => notes.get(`${run}/${round}`) ?? [])
  if (seen.length === 0) return null
  const sum = (of: (note: RoundNote) => number) => seen.reduce((total, note) => total + of(note), 0)
  const workMs = workMsOf(seen)
  const moved = { rounds: seen.length, bytesIn: sum((n) => n.bytesIn), bytesOut: sum((n) => n.bytesOut), trainMs: sum((n) => n.trainMs ?? 0) }
  return workMs === undefined ? moved : { ...moved, workMs }
}
