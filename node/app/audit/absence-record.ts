import { isAbsent, participationOf, roundParts } from '#audit/participation.ts'
import type { KnownRounds } from '#audit/participation-text.ts'
import type { RoundPart } from '#audit/round-part.ts'
import { isOfMembers, studyOf } from '#audit/study-members.ts'
import type { RunId, SiteId } from '#base/ids.ts'
import type { ChainEvent, ChainReader } from '#ports/chain.ts'

/** Who is missing from a run's last rounds, and how often in all of it: the whole log is read once, and its last rounds after that. */
export interface AbsenceRecord {
  /** @param events as RecentRounds gives them: the run's opening, then all since the opening of a round */
  of(run: RunId, events: readonly ChainEvent[]): Promise<KnownRounds>
}

/** What is kept of a run: what came before its last rounds is two numbers a site, and who joined and left the study. */
interface Kept {
  readonly before: RoundPart | undefined
  /** Events from which the study's members follow, of which some may be in the last rounds. */
  readonly members: readonly ChainEvent[]
  readonly counts: Counts
  readonly parts: readonly RoundPart[]
}

type Counts = ReadonlyMap<SiteId, { readonly rounds: number; readonly missingRounds: number }>

export function absenceRecord(chain: Pick<ChainReader, 'events'>): AbsenceRecord {
  const runs = new Map<RunId, Kept>()

  /** All that is known of the rounds before this one. What was kept must reach into it: then nothing lies between that and the events at hand. */
  async function upTo(run: RunId, first: number): Promise<Omit<Kept, 'parts'>> {
    const kept = runs.get(run)
    const follows = kept?.parts.some(({ round }) => round === first) === true
    const whole = follows ? [] : await chain.events(0)
    const parts = follows ? kept.parts : participationOf(whole, run).rounds
    const passed = parts.filter(({ round }) => round < first)
    return {
      before: passed.at(-1) ?? (follows ? kept.before : undefined),
      counts: countedOn(follows ? kept.counts : new Map(), passed),
      members: follows ? kept.members : ofMembers(whole, run),
    }
  }

  return {
    async of(run, events) {
      const opened = events.find((e) => e.kind === 'RoundOpened' && e.run === run)
      if (opened?.kind !== 'RoundOpened') return { rounds: [], sites: [] }
      const { before, counts, members } = await upTo(run, opened.round)
      const earlier = members.filter(({ block }) => block < opened.block)
      const parts = roundParts([...earlier, ...events], run, before)
      runs.set(run, { before, counts, parts, members: [...earlier, ...ofMembers(events, run).filter(({ block }) => block >= opened.block)] })
      return { rounds: parts, sites: [...countedOn(counts, parts)].map(([site, count]) => ({ site, ...count })) }
    },
  }
}

function ofMembers(events: readonly ChainEvent[], run: RunId): readonly ChainEvent[] {
  const study = studyOf(events, run)
  return events.filter((e) => isOfMembers(e, study))
}

function countedOn(before: Counts, parts: readonly RoundPart[]): Counts {
  const counts = new Map(before)
  for (const { site, fate } of parts.flatMap(({ fates }) => fates)) {
    if (fate === 'open') continue
    const { rounds, missingRounds } = counts.get(site) ?? { rounds: 0, missingRounds: 0 }
    counts.set(site, { rounds: rounds + 1, missingRounds: missingRounds + (isAbsent(fate) ? 1 : 0) })
  }
  return counts
}
