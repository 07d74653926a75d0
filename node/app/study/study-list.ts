import { nameOf, withSiteView } from '#app/site/site-view.ts'
import { sitesOf } from '#base/bitmap.ts'
import type { RunId, StudyId } from '#base/ids.ts'
import type { StudyRules } from '#ports/chain.ts'
import { titleOf } from './study-title.ts'

export interface ListedStudy {
  readonly study: StudyId
  /** Null while the protocol is not on this disk. */
  readonly title: string | null
  /** As the chain has it, so that it is known before the protocol is: groups are masked to it. */
  readonly mode: StudyRules['mode']
  readonly publisher: string
  readonly approved: readonly string[]
  readonly digest: string
  readonly runs: readonly { readonly run: RunId; readonly state: string }[]
}

/** The studies of the network. Opens neither the vault nor the store: both take longer than the answer. */
export const listStudies = (folder: string, signal: AbortSignal): Promise<readonly ListedStudy[]> =>
  withSiteView(folder, signal, async (view) => {
    const [records, runs] = await Promise.all([view.chain.studies(), view.chain.runs()])
    const name = nameOf(view.sites)
    return Promise.all(
      records.map(async (record) => ({
        study: record.id,
        title: await titleOf(view.paths, record),
        mode: record.rules.mode,
        publisher: name(record.publisher),
        approved: sitesOf(record.approved).map(name),
        digest: record.protocolDigest,
        runs: runs.filter((run) => run.study === record.id).map(({ run, state }) => ({ run, state })),
      })),
    )
  })
