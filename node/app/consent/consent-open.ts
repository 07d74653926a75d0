import { cohortPad, cohortSecret, grantedPad, sha256 } from '#adapters/cohort/site-maps.ts'
import { type AtSite, atSite } from '#app/site/at-site.ts'
import { networkOf } from '#app/site/site-cohort.ts'
import type { StudyCall } from '#app/study/studies.ts'
import { fromHex, toHex } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { RoundNo, RunId } from '#base/ids.ts'
import { grantEntry } from '#core/consent/cohort-map.ts'
import type { CohortOpening } from '#core/consent/cohort-opening.ts'
import { archivedCohort, contributionTo } from './consent-prove.ts'
import { consentRoots } from './consent-root.ts'

export type { CohortOpening } from '#core/consent/cohort-opening.ts'

/**
 * Opens the cohort that this site declared for one round to an auditor.
 * @throws ROTA-6010 a round that the chain does not know or that the site was not in, 6011 a cohort or consents that the archive does not hold
 */
export const openCohort = (call: StudyCall & { readonly run: RunId; readonly round: RoundNo }): Promise<CohortOpening> =>
  atSite(call, async (site) => {
    const { run, round } = call
    const contributed = await contributionTo(site, run, round)
    if (contributed === null) throw new RotaError('ROTA-6010', { run, round })
    const { programme, members } = await archivedCohort(site, contributed)
    const { vault } = site.folder
    return {
      ...{ version: 1, programme, site: site.own.id, run, round },
      secrets: members.map((member) => toHex(cohortSecret(vault, programme, member))),
      pad: toHex(cohortPad(vault, programme, { network: networkOf(site.folder, site.chain), run, round })),
      granted: await grantedAt(site, programme, contributed.block, { run, round }),
    }
  })

async function grantedAt(site: AtSite, programme: string, block: number, where: { run: RunId; round: RoundNo }): Promise<CohortOpening['granted']> {
  const stood = (await consentRoots(site, programme)).findLast((root) => root.block <= block)
  if (stood === undefined) return null
  const { folder } = site
  const archived = (await folder.archive.grants(programme)).find(({ root }) => root === stood.root)
  if (archived === undefined) throw new RotaError('ROTA-6011', where)
  const tags = await folder.consents.tagsThen(programme, archived)
  const entries = tags.map((tag) => grantEntry(fromHex(tag), cohortSecret(folder.vault, programme, tag), sha256))
  return {
    epoch: stood.epoch,
    entries: entries.map(({ key, value }) => [toHex(key), toHex(value)] as const),
    pad: toHex(grantedPad(folder.vault, programme, stood.epoch)),
  }
}
