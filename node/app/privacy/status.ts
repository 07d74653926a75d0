import { sha256 } from '#app/sha256.ts'
import { nameOf, type SiteView, withSiteView } from '#app/site/site-view.ts'
import { protocolOf } from '#app/study/studies.ts'
import { EMPTY, has } from '#base/bitmap.ts'
import { isRotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { StudyRecord } from '#ports/chain.ts'
import { datasetId, USUAL_DATASET } from '#wire/dataset.ts'
import { type AccountedStudy, accountedStudy, type Budget, budgetsOf, datasetsIn, readLedger } from './budgets.ts'

export interface NamedBudget extends Omit<Budget, 'site'> {
  readonly site: string
  /** By this site's config; null for other sites' datasets, of which digests alone are known. */
  readonly name: string | null
  readonly title: string
}

export interface PrivacyStatus {
  readonly site: string
  readonly dataset: Digest
  readonly budgets: readonly NamedBudget[]
  /** Studies that promise differential privacy and whose protocols are not on this disk. */
  readonly unknown: readonly number[]
}

interface KnownStudy extends AccountedStudy {
  readonly record: StudyRecord
  readonly title: string
}

/** What this site's dataset has spent and has left, and with `all` everybody's: it stands on chain. Opens no vault. @throws as `withSiteView` */
export const privacyStatus = (call: { readonly folder: string; readonly all: boolean; readonly signal: AbortSignal }): Promise<PrivacyStatus> =>
  withSiteView(call.folder, call.signal, async (view) => {
    const name = view.config.data.dataset ?? USUAL_DATASET
    const dataset = datasetId(name, sha256)
    const own = view.own === null ? null : { site: view.own.id, dataset }
    const [ledger, studies] = await Promise.all([readLedger(view.chain), accountedStudies(view, call.signal)])
    const shown = datasetsIn(ledger, own).filter(({ site }) => call.all || site === own?.site)
    const titles = new Map(studies.map((study) => [study.study, study]))
    const budgets = shown.flatMap((place) =>
      budgetsOf(ledger, place, studies, true)
        .filter(({ study, rounds }) => rounds > 0 || has(titles.get(study)?.record.approved ?? EMPTY, place.site))
        .map((budget) => ({
          ...budget,
          site: nameOf(view.sites)(budget.site),
          name: place.dataset === dataset && place.site === own?.site ? name : null,
          title: titles.get(budget.study)?.title ?? '',
        })),
    )
    return { site: view.config.name, dataset, budgets, unknown: studies.flatMap(({ study, privacy }) => (privacy === null ? [study] : [])) }
  })

/** Studies that the chain charges for. */
async function accountedStudies(view: SiteView, signal: AbortSignal): Promise<readonly KnownStudy[]> {
  const records = await view.chain.studies()
  const policies = await Promise.all(records.map(async (record) => ({ record, policy: await view.chain.policy(record.id) })))
  const accounted = policies.filter(({ policy }) => policy !== null)
  return Promise.all(
    accounted.map(async ({ record }) => {
      const protocol = await protocolHere(view, record, signal)
      return { ...accountedStudy(record.id, protocol), record, title: protocol?.title ?? '' }
    }),
  )
}

async function protocolHere(view: SiteView, record: StudyRecord, signal: AbortSignal): Promise<Protocol | null> {
  try {
    return await protocolOf({ folder: view }, record, signal)
  } catch (error) {
    if (!isRotaError(error)) throw error
    return null
  }
}
