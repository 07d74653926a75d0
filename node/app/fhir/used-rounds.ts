import { cohortMap } from '#adapters/cohort/site-maps.ts'
import type { AtSite } from '#app/site/at-site.ts'
import { networkOf } from '#app/site/site-cohort.ts'
import { toDigest } from '#base/bytes.ts'
import type { Digest, RoundNo, RunId } from '#base/ids.ts'

/** A round of this site under a programme, and who was in the cohort that it committed to. */
export interface UsedRound {
  readonly run: RunId
  readonly round: RoundNo
  /** ms, by the chain. */
  readonly atMs: number
  readonly cohortRoot: Digest
  /** Tags, or digests of patients without one. */
  readonly members: readonly Digest[]
}

/** Oldest first. What the archive says counts where it leads to the root on chain; a cohort that it does not hold is passed over. */
export async function usedRounds({ folder, chain, own }: AtSite, programme: string): Promise<readonly UsedRound[]> {
  const archived = new Map((await folder.archive.cohorts({ programme })).map((cohort) => [cohort.root, cohort]))
  const network = networkOf(folder, chain)
  const events = archived.size === 0 ? [] : await chain.events(0, { kinds: ['Contributed'] })
  return events.flatMap((e) => {
    const cohort = e.kind === 'Contributed' && e.site === own.id ? archived.get(e.cohortRoot) : undefined
    if (cohort === undefined) return []
    const { run, round, root, members } = cohort
    if (toDigest(cohortMap(folder.vault, programme, members, { network, run, round }).root) !== root) return []
    return [{ run, round, atMs: e.timestamp * 1000, cohortRoot: root, members }]
  })
}
