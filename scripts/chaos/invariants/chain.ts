import { EMPTY, has, sitesOf, sizeOf } from '#base/bitmap.ts'
import type { Bitmap, Digest } from '#base/ids.ts'
import { only, type RunRecord } from '../record.ts'
import { trueSum } from './true-sum.ts'

/** A round's set is frozen once, and no honest site has acted on another. */
export function oneFrozenSet({ events, journals, honest }: RunRecord): string[] {
  const broken: string[] = []
  const frozen = new Map<string, Bitmap>()
  for (const { run, round, included } of only(events, 'Frozen')) {
    if (frozen.has(`${run}/${round}`)) broken.push(`round ${round} was frozen twice`)
    frozen.set(`${run}/${round}`, included)
  }
  for (const site of honest)
    for (const entry of journals.get(site) ?? []) {
      if (entry.kind !== 'frozen') continue
      const stands = frozen.get(`${entry.run}/${entry.round}`)
      if (stands !== entry.included) broken.push(`site ${site} acted on the set ${entry.included} of round ${entry.round}, the chain has ${stands ?? 'none'}`)
    }
  return broken
}

/** More than half of the frozen set attested the model with which a round closed. */
export function closedByMajority({ events }: RunRecord): string[] {
  const frozen = new Map(only(events, 'Frozen').map((e) => [e.round, e.included]))
  return only(events, 'RoundClosed').flatMap((closed) => {
    const set = frozen.get(closed.round)
    if (set === undefined) return [`round ${closed.round} closed without a frozen set`]
    const words = only(events, 'Attested').filter((e) => e.round === closed.round && e.attempt === closed.attempt && e.modelRoot === closed.modelRoot)
    const sites = new Set(words.filter(({ site, status }) => has(set, site) && status === closed.status).map(({ site }) => site))
    return 2 * sites.size > sizeOf(set) ? [] : [`round ${closed.round} closed on the word of ${sites.size} of ${sizeOf(set)} sites`]
  })
}

/** What a round closed on is the sum of the vectors of its frozen set, added here from what the sites made. */
export function noWrongSumClosed({ events, vectors, draw }: RunRecord): string[] {
  return only(events, 'RoundClosed').flatMap(({ round, attempt }) => {
    const publication = only(events, 'Published').find((e) => e.round === round && e.attempt === attempt)
    const set = only(events, 'Frozen').find((e) => e.round === round)?.included
    if (publication === undefined || set === undefined) return [`round ${round} closed without a publication`]
    const roots = only(events, 'Contributed').flatMap((e) => (e.round === round && has(set, e.site) ? [e.root] : []))
    const sum = trueSum(roots, vectors, draw.rules.wordBits)
    if ('missing' in sum) return [`round ${round}: nobody ever made the update ${sum.missing} that is in its set`]
    return sum.root === publication.sumRoot ? [] : [`round ${round} closed on the sum of site ${publication.site}, which is wrong`]
  })
}

/** An update is in one published sum at most: from two sums that differ by one site, that site's update would be read. */
export function noUpdateInTwoSums({ said }: RunRecord): string[] {
  const revealed = new Map<Digest, Set<string>>()
  const frozen = new Map<number, Bitmap>()
  const updates = new Map<string, Digest>()
  for (const { event } of said) {
    if (event.kind === 'Contributed') updates.set(`${event.round}/${event.site}`, event.root)
    if (event.kind === 'Frozen') frozen.set(event.round, event.included)
    if (event.kind !== 'Published') continue
    const set = frozen.get(event.round) ?? EMPTY
    for (const site of sitesOf(set)) {
      const root = updates.get(`${event.round}/${site}`)
      if (root !== undefined) revealed.set(root, (revealed.get(root) ?? new Set<string>()).add(`round ${event.round} with sites ${sitesOf(set).join(' ')}`))
    }
  }
  return [...revealed].flatMap(([root, sums]) => (sums.size > 1 ? [`the update ${root} is in the sums of ${[...sums].join(' and ')}`] : []))
}

/** Whoever committed an update is in the round; or fewer than two of a slice's custodians named it, or the round is void: the log says so. */
export function committedOrLogged({ events, view }: RunRecord): string[] {
  return only(events, 'Contributed').flatMap(({ run, round, site }) => {
    if (view?.round.round === round || view?.run !== run) return []
    const set = only(events, 'Frozen').find((e) => e.run === run && e.round === round)?.included
    if (set === undefined)
      return only(events, 'RoundVoid').some((e) => e.round === round) ? [] : [`site ${site} is in no set of round ${round}, which is not void`]
    if (has(set, site)) return []
    const words = only(events, 'Witnessed').filter((e) => e.round === round)
    const slices = new Set(words.map(({ slice }) => slice))
    const named = (slice: number) => words.filter((e) => e.slice === slice && has(e.held, site)).length
    return [...slices].every((slice) => named(slice) >= 2)
      ? [`site ${site} was left out of round ${round} although two custodians of each slice held its update`]
      : []
  })
}
