import type { RoundNo, SiteId } from '#base/ids.ts'
import type { AbstainReason } from '#ports/chain.ts'
import type { Absence, Participation, SitePart } from './participation.ts'
import type { SiteFate } from './round-part.ts'

type Name = (site: number) => string

/** In plain words, after "because it was" or in brackets. */
const ABSENCE_WORDS: Readonly<Record<Absence, string>> = {
  late: 'late in contributing',
  silent: 'nothing came from it',
  notAwaited: 'not waited for after a round that it missed, and not there in time',
  notHeld: 'its update reached too few custodians in time',
  left: 'it is no longer in the network',
  suspended: 'it is suspended from the network',
  withdrew: 'its steward had taken it out of the study',
  waitsForKey: 'it waits for a key of the study',
  notInRota: 'it is no longer in the rota',
}

const ABSTAIN_WORDS: Readonly<Record<AbstainReason, string>> = {
  unspecified: 'no reason given',
  belowMinRows: 'too few rows',
  differencing: 'its patients differ by too few from an earlier run',
  dataError: 'its data do not fit the protocol',
  maintenance: 'maintenance',
  cohortChanged: 'its patients changed',
  noDisk: 'its disk is full',
  privacySpent: 'its dataset has no privacy left to spend',
  sumRefused: 'it waits for people, since a sum was refused',
}

/**
 * A sentence for each site that was not in every round, or did not do its share: who, from how many, since when, and why.
 * None: all were there. This is what makes the silent loss of a hospital hard to overlook, so every view of a run shows it.
 */
export const absenceLines = ({ sites }: Pick<Participation, 'sites'>, name: Name): readonly string[] =>
  [...sites].sort((a, b) => b.missingRounds - a.missingRounds || a.site - b.site).flatMap((site) => linesOf(site, name(site.site)))

function linesOf(part: SitePart, name: string): readonly string[] {
  return [
    ...(part.missingRounds > 0 ? [missingLine(part, name)] : []),
    ...part.abstained.map(
      ({ reason, rounds }) => `${name} abstained in ${rounds.length} of ${part.rounds} rounds (${roundList(rounds)}): ${ABSTAIN_WORDS[reason]}`,
    ),
    ...(part.askedForTime.length > 0 ? [`${name} asked for more time in ${plural(part.askedForTime.length)} (${roundList(part.askedForTime)})`] : []),
    ...(part.passedOver.length > 0
      ? [`${name} was passed over in ${plural(part.passedOver.length)} (${roundList(part.passedOver)}): its turn to publish came and nothing did`]
      : []),
    ...(part.steppedOver.length > 0
      ? [`${name} was not let lead in ${plural(part.steppedOver.length)} (${roundList(part.steppedOver)}), since it had missed an earlier turn`]
      : []),
    ...(part.thrownOut.length > 0
      ? [`${name} published a wrong sum in ${plural(part.thrownOut.length)} (${roundList(part.thrownOut)}); it was thrown out`]
      : []),
  ]
}

function missingLine({ rounds, missingRounds, missing, lastIn, missingInARow }: SitePart, name: string): string {
  const newest = Math.max(...missing.flatMap((m) => m.rounds))
  const last = lastIn === null ? 'never in' : missingInARow > 0 ? `last in: round ${lastIn}` : `in again after round ${newest}`
  const verb = missingInARow > 0 ? 'has been missing' : 'was missing'
  const why = missing.map((m) => `${ABSENCE_WORDS[m.why]}${missing.length > 1 || m.rounds.length < rounds ? ` (${roundList(m.rounds)})` : ''}`)
  return `${name} ${verb} from ${missingRounds} of ${rounds} rounds (${last}): ${why.join('; ')}`
}

/** Some rounds of a run, and how often each site was missing in all of it. */
export interface KnownRounds extends Pick<Participation, 'rounds'> {
  readonly sites: readonly Pick<SitePart, 'site' | 'rounds' | 'missingRounds'>[]
}

/** The sites that are not in one round, each with its reason and its record: "Basel (late in contributing; missing from 3 of 5 rounds)". */
export function roundAbsences({ rounds, sites }: KnownRounds, round: RoundNo, name: Name): readonly string[] {
  const fates = rounds.findLast((part) => part.round === round)?.fates ?? []
  return fates.flatMap((fate) => {
    const why = whyNotIn(fate)
    const part = sites.find(({ site }) => site === fate.site)
    const record = part === undefined || part.missingRounds < 2 ? '' : `; missing from ${part.missingRounds} of ${part.rounds} rounds`
    return why === null ? [] : [`${name(fate.site)} (${why}${fate.fate === 'abstained' ? '' : record})`]
  })
}

export const missingIn = ({ rounds }: Pick<KnownRounds, 'rounds'>, round: RoundNo): readonly SiteId[] =>
  (rounds.findLast((part) => part.round === round)?.fates ?? []).filter((fate) => whyNotIn(fate) !== null).map(({ site }) => site)

/** Null for a site that is in, or of which nothing is known yet. */
export function whyNotIn({ fate, reason }: SiteFate): string | null {
  if (fate === 'in' || fate === 'open' || fate === 'void') return null
  return fate === 'abstained' ? `abstained: ${ABSTAIN_WORDS[reason ?? 'unspecified']}` : ABSENCE_WORDS[fate]
}

const plural = (n: number): string => (n === 1 ? '1 round' : `${n} rounds`)

/** "round 3", "rounds 3 to 7 and 9". */
export function roundList(rounds: readonly RoundNo[]): string {
  const spans: [number, number][] = []
  for (const round of rounds) {
    const last = spans.at(-1)
    if (last !== undefined && round === last[1] + 1) last[1] = round
    else spans.push([round, round])
  }
  const words = spans.map(([from, to]) => (from === to ? `${from}` : to === from + 1 ? `${from}, ${to}` : `${from} to ${to}`))
  const shown = words.length > 6 ? [...words.slice(0, 5), `${words.length - 5} more`] : words
  return `${rounds.length === 1 ? 'round' : 'rounds'} ${shown.join(', ')}`
}
