import { cohortPad, cohortSecret, grantedPad, sha256 } from '#adapters/cohort/site-maps.ts'
import { type AtSite, atSite } from '#app/site/at-site.ts'
import { networkOf } from '#app/site/site-cohort.ts'
import type { StudyCall } from '#app/study/studies.ts'
import { fromHex, toHex } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest, RoundNo, RunId } from '#base/ids.ts'
import { grantEntry } from '#core/consent/cohort-map.ts'
import type { CohortOpening } from '#core/consent/cohort-opening.ts'
import { archivedCohort, contributionTo } from './consent-prove.ts'
import { consentRoots } from './consent-root.ts'

export type { CohortOpening } from '#core/consent/cohort-opening.ts'

/**
 * Opens the cohort that this site declared for one round to an auditor.
 * @throws ROTA-6010 a round that the chain does not know, 6039 one that the site was not in, 6011 a cohort or consents that the archive does not hold
 */
export const openCohort = (call: StudyCall & { readonly run: RunId; readonly round: RoundNo }): Promise<CohortOpening> =>
  atSite(call, async (site) => {
    const { run, round } = call
    const declared = await declaredIn(site, run, round)
    const { programme, members, granted } = declared
    const { vault } = site.folder
    return {
      ...{ version: 1, programme, site: site.own.id, run, round },
      secrets: members.map((member) => toHex(cohortSecret(vault, programme, member))),
      pad: toHex(cohortPad(vault, programme, { network: networkOf(site.folder, site.chain), run, round })),
      granted: granted === null ? null : openGrants(site, programme, granted),
    }
  })

/** What this site declared for a round, and the consents that stood then. */
export interface DeclaredThen {
  readonly programme: string
  readonly members: readonly Digest[]
  /** Null before the site's first root. */
  readonly granted: { readonly epoch: number; readonly tags: readonly Digest[] } | null
  readonly root: Digest
  readonly block: number
}

/** @throws ROTA-6010, 6039, 6011 */
export async function declaredIn(site: AtSite, run: RunId, round: RoundNo): Promise<DeclaredThen> {
  const contributed = await contributionTo(site, run, round)
  if (contributed === null) throw new RotaError('ROTA-6039', { site: site.own.id, run, round })
  const { programme, members } = await archivedCohort(site, contributed)
  const { block, cohortRoot: root } = contributed
  return { programme, members, granted: await grantedAt(site, programme, block, { run, round }), root, block }
}

async function grantedAt(site: AtSite, programme: string, block: number, where: { run: RunId; round: RoundNo }): Promise<DeclaredThen['granted']> {
  const stood = (await consentRoots(site, programme)).findLast((root) => root.block <= block)
  if (stood === undefined) return null
  const archived = (await site.folder.archive.grants(programme)).find(({ root }) => root === stood.root)
  if (archived === undefined) throw new RotaError('ROTA-6011', where)
  return { epoch: stood.epoch, tags: await site.folder.consents.tagsThen(programme, archived) }
}

function openGrants({ folder }: AtSite, programme: string, { epoch, tags }: NonNullable<DeclaredThen['granted']>): CohortOpening['granted'] {
  const entries = tags.map((tag) => grantEntry(fromHex(tag), cohortSecret(folder.vault, programme, tag), sha256))
  return {
    epoch,
    entries: entries.map(({ key, value }) => [toHex(key), toHex(value)] as const),
    pad: toHex(grantedPad(folder.vault, programme, epoch)),
  }
}
