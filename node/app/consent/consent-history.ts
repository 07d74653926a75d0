import type { ArchivedCohort } from '#adapters/cohort/cohort-archive.ts'
import { cohortMap } from '#adapters/cohort/site-maps.ts'
import type { AtSite } from '#app/site/at-site.ts'
import { networkOf } from '#app/site/site-cohort.ts'
import { toDigest } from '#base/bytes.ts'
import type { Digest, RoundNo, RunId } from '#base/ids.ts'
import type { ChainEvent } from '#ports/chain.ts'

/** Whether one tag was in the cohort that this site committed to in a round. */
export interface TagInRound {
  readonly run: RunId
  readonly round: RoundNo
  /** 'unknown' where the archive of cohorts does not hold it: lost, or of a version that kept none. */
  readonly cohort: 'in' | 'not in' | 'unknown'
  /** Under opt-out a patient takes part before any receipt is made, under a digest of this site in place of a tag. */
  readonly before: boolean
  readonly cohortRoot: Digest
}

/** A tag, and the digest that the patient goes by where there is none. */
export interface WhoseTag {
  readonly tag: Digest
  readonly patient: Digest
}

type Contributed = Extract<ChainEvent, { kind: 'Contributed' }>

/** This site's contributions whose cohorts were under a programme: who was in them by its archive, made into the root on chain again. */
export async function tagsInRounds({ folder, chain, own }: AtSite, programme: string, tags: readonly WhoseTag[]): Promise<readonly (readonly TagInRound[])[]> {
  const archived = new Map((await folder.archive.cohorts({ programme })).map((cohort) => [cohort.root, cohort]))
  const runs = new Set([...archived.values()].map(({ run }) => run))
  const events = await chain.events(0, { kinds: ['Contributed'] })
  const mine = events.filter((e): e is Contributed => e.kind === 'Contributed' && e.site === own.id && runs.has(e.run))
  const network = networkOf(folder, chain)
  // What the archive says counts where it leads to the root on chain.
  const isDeclared = ({ run, round, root, members }: ArchivedCohort): boolean =>
    toDigest(cohortMap(folder.vault, programme, members, { network, run, round }).root) === root
  const cohorts = mine
    .map((e) => [e, archived.get(e.cohortRoot)] as const)
    .map(([e, cohort]) => [e, cohort && isDeclared(cohort) ? cohort : undefined] as const)
  return tags.map((whose) => cohorts.map(([e, cohort]) => told(whose, e, cohort)))
}

function told({ tag, patient }: WhoseTag, { run, round, cohortRoot }: Contributed, cohort: ArchivedCohort | undefined): TagInRound {
  const where = { run, round, cohortRoot }
  if (cohort === undefined) return { ...where, cohort: 'unknown', before: false }
  const before = cohort.members.includes(patient)
  return { ...where, cohort: before || cohort.members.includes(tag) ? 'in' : 'not in', before }
}

/** One record under several tags: it was in a cohort where one of them was. */
export function anyOf(parts: readonly (readonly TagInRound[])[]): readonly TagInRound[] {
  const [first = []] = parts
  return first.map((place, i) => {
    const each = parts.map((part) => part[i] ?? place)
    const cohort = (['in', 'unknown'] as const).find((state) => each.some((part) => part.cohort === state)) ?? 'not in'
    return { ...place, cohort, before: each.some(({ before }) => before) }
  })
}
