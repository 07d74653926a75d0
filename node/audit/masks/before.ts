import { has } from '#base/bitmap.ts'
import type { SiteId } from '#base/ids.ts'
import type { RoundInput } from '../round-input.ts'
import { eventsOf, type RoundLog } from '../run-log.ts'
import { type Before, linksOf, thresholdOf } from './mask-round.ts'

interface BeforeInput {
  readonly run: Pick<RoundInput['run'], 'rounds'>
  readonly round: Pick<RoundLog, 'opened'>
  readonly study: { readonly protocol: Pick<NonNullable<RoundInput['study']['protocol']>, 'mode' | 'quorum'> | null }
}

/** What void rounds before say of who masks with whom; nothing where a refused round is repeated, and in groups. */
export function beforeOf({ run: { rounds }, round, study: { protocol } }: BeforeInput): Before {
  const quorum = protocol?.quorum ?? 0
  const before = rounds.filter((one) => one.opened.round < round.opened.round && one.ended !== null).sort(byEnd)
  const last = before.findLastIndex((one) => one.ended?.kind !== 'RoundVoid')
  const isPlain = protocol?.mode === 'masked' && before[last]?.ended?.kind !== 'RoundRefused'
  let defaulted: ReadonlySet<SiteId> = new Set()
  for (const [i, each] of before.entries())
    if (isPlain && i > last && !isCutShort(each, before.slice(i + 1))) defaulted = defaultedAfter(each, { quorum, defaulted })
  return { quorum, defaulted }
}

/** A closed round that is disputed ends once more, after those that were opened since. */
const byEnd = (a: RoundLog, b: RoundLog): number => {
  const [one, other] = [a.ended, b.ended]
  return one === null || other === null ? 0 : one.block - other.block || one.index - other.index
}

/** By a dispute of a round before it: nobody had to contribute to it any more. */
const isCutShort = ({ opened }: RoundLog, later: readonly RoundLog[]): boolean => later.some((one) => one.opened.round < opened.round)

/** Who shared masks with enough and was not in the set, or, where none was frozen, did not contribute, besides those who did before; who was in, or contributed, no more. */
function defaultedAfter(round: RoundLog, before: Before): ReadonlySet<SiteId> {
  const members = round.opened.awaited
  const { edges } = linksOf({ members, threshold: thresholdOf(members) }, eventsOf(round, 'Keyed'), before)
  const contributed = new Set(eventsOf(round, 'Contributed').map(({ site }) => site))
  const isIn = (site: SiteId): boolean => (round.frozen === null ? contributed.has(site) : has(round.frozen.included, site))
  return new Set([...before.defaulted, ...edges.keys()].filter((site) => !isIn(site)))
}
