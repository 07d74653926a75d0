import type { Fate } from '#audit/round-part.ts'
import { has } from '#base/bitmap.ts'
import type { SiteId } from '#base/ids.ts'
import type { ChainEvent } from '#ports/chain.ts'
import { only, type RunRecord } from '../record.ts'

/**
 * Of each site that belongs to the run, in the rota or not, it is told what became of it in each round that is over; what is told is so, and whoever is
 * not in a frozen set is named in a sentence.
 */
export function missingAreTold({ events, view, told }: RunRecord): string[] {
  if (view === null || told === null) return []
  const log = events as readonly ChainEvent[]
  return only(log, 'RoundOpened').flatMap((opened) => {
    const { round, rota } = opened
    const fates = told.rounds.find((part) => part.round === round)?.fates ?? []
    const set = only(log, 'Frozen').find((e) => e.round === round)?.included
    const over = round < view.round.round || told.rounds.find((part) => part.round === round)?.state !== 'open'
    const belong = belongingAt(log, opened)
    const untold = belong.filter((site) => !fates.some((fate) => fate.site === site)).map((site) => `round ${round} says nothing of site ${site}`)
    const wrong = fates.flatMap(({ site, fate }) => {
      const isSo = rota.includes(site) ? isTrue(log, round, site, fate, over) : whyOutside(log.slice(0, log.indexOf(opened)), site) === fate
      return isSo ? [] : [`site ${site} is said to be "${fate}" in round ${round}`]
    })
    const unnamed = belong.filter((site) => set !== undefined && !has(set, site) && !told.absences.some((line) => line.startsWith(`site ${site} `)))
    return [...untold, ...wrong, ...unnamed.map((site) => `no sentence names site ${site}, which was not in round ${round}`)]
  })
}

/** Sites of this rota and of earlier ones, and whoever is approved then and has not left the network. */
function belongingAt(log: readonly ChainEvent[], opened: ChainEvent): readonly SiteId[] {
  const before = log.slice(0, log.indexOf(opened) + 1)
  const stood = only(before, 'RoundOpened').flatMap(({ rota }) => rota)
  const approved = only(before, 'StudyApproved').flatMap(({ site }) => (isApproved(before, site) && stateOf(before, site) !== 'Removed' ? [site] : []))
  return [...new Set([...stood, ...approved])]
}

const stateOf = (log: readonly ChainEvent[], site: SiteId) => only(log, 'SiteChanged').findLast((e) => e.site === site)?.state
const isApproved = (log: readonly ChainEvent[], site: SiteId): boolean =>
  log.findLast((e) => (e.kind === 'StudyApproved' || e.kind === 'StudyWithdrawn') && e.site === site)?.kind === 'StudyApproved'

/** What the log up to a round's opening says of a site that is not in its rota. */
function whyOutside(log: readonly ChainEvent[], site: SiteId): Fate | null {
  const state = stateOf(log, site)
  if (state !== 'Active') return state === 'Removed' ? 'left' : 'suspended'
  if (!isApproved(log, site)) return 'withdrew'
  return has(only(log, 'EpochPublished').at(-1)?.members ?? (0n as never), site) ? null : 'waitsForKey'
}

/** Of a site of the rota. */
function isTrue(log: readonly ChainEvent[], round: number, site: SiteId, fate: Fate, over: boolean): boolean {
  const ofSite = (kind: 'Contributed' | 'Abstained'): boolean => only(log, kind).some((e) => e.round === round && e.site === site)
  const set = only(log, 'Frozen').find((e) => e.round === round)?.included
  const included = set !== undefined && has(set, site)
  switch (fate) {
    case 'in':
      return included
    case 'open':
      return !over
    case 'notHeld':
      return ofSite('Contributed') && set !== undefined && !included && CEASED.every((why) => !ceased(log, ['Frozen'], round, site, why))
    case 'left':
    case 'suspended':
    case 'withdrew':
      return !included && ceased(log, ['Frozen', 'PhaseBegan', 'RoundVoid'], round, site, fate)
    case 'waitsForKey':
    case 'notInRota':
      return false
    case 'void':
      return !included && (only(log, 'RoundVoid').some((e) => e.round === round) || only(log, 'RunStateChanged').some(({ state }) => state === 'Halted'))
    case 'abstained':
      return !included
    default:
      return !ofSite('Contributed') && !included
  }
}

const CEASED = ['left', 'suspended', 'withdrew'] as const

/** It was no member any more at one of these moments of the round. */
const ceased = (log: readonly ChainEvent[], moments: readonly ChainEvent['kind'][], round: number, site: SiteId, why: Fate): boolean =>
  log.some((e, i) => moments.includes(e.kind) && 'round' in e && e.round === round && whyOutside(log.slice(0, i), site) === why)
