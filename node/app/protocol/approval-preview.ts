import { resolve } from 'node:path'
import { type MappingPreview, previewMapping } from '#adapters/cohort/preview-mapping.ts'
import { systemClock } from '#adapters/host/system-host.ts'
import { termsAgainst } from '#app/programme/terms-for-study.ts'
import { newestTerms } from '#app/programme/terms-on-chain.ts'
import { nameOf, type SiteView, withSiteView } from '#app/site/site-view.ts'
import { protocolOf } from '#app/study/studies.ts'
import { isRotaError } from '#base/errors.ts'
import type { Digest, StudyId } from '#base/ids.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { StudyRecord } from '#ports/chain.ts'
import { type ToldError, toldError } from '../told-error.ts'
import { diffProtocols, type ProtocolChange } from './diff-protocols.ts'
import { readMapping } from './mapping-file.ts'

export type DataPreview =
  | (Omit<MappingPreview, 'problems'> & { readonly problems: readonly (ToldError & { readonly count: number })[] })
  | { readonly ready: false; readonly problem: ToldError }

/** The programme's newest terms beside a protocol. */
export interface TermsFit {
  readonly version: number
  readonly lawfulBasis: Protocol['lawfulBasis']
  readonly expires: string
  /** Why the study may not be approved under them. */
  readonly problem: ToldError | null
}

/** All that a steward should see before the yes: counts and column names, no value of any patient. */
export interface ApprovalPreview {
  readonly study: StudyId
  readonly digest: Digest
  readonly publisher: string
  readonly protocol: Protocol
  /** What the study would touch at this site, or why it could not. */
  readonly data: DataPreview
  /** What patients of the programme were told; null when it has no terms on chain. */
  readonly terms: TermsFit | null
  /** Against the protocol that this site's steward approved last; null when there is none here. */
  readonly changes: { readonly since: StudyId; readonly list: readonly ProtocolChange[] } | null
}

/**
 * Shown before `study approve`. Reads the site's rows, and says of them only how many there are.
 * @throws ROTA-1207 when the protocol has not arrived, ROTA-5301 no such study, ROTA-5501 another text than its digest
 */
export function previewApproval(call: { readonly folder: string; readonly study: StudyId; readonly signal: AbortSignal }): Promise<ApprovalPreview> {
  return withSiteView(call.folder, call.signal, async (view) => {
    const record = await view.chain.study(call.study)
    const protocol = await protocolOf({ folder: view }, record, call.signal)
    const [data, changes, terms] = await Promise.all([
      previewData(view, protocol),
      changesSince(view, record, protocol, call.signal),
      termsFor(view, record.id, protocol),
    ])
    return { study: record.id, digest: record.protocolDigest, publisher: nameOf(view.sites)(record.publisher), protocol, terms, data, changes }
  })
}

async function termsFor({ chain }: Pick<SiteView, 'chain'>, study: StudyId, protocol: Protocol): Promise<TermsFit | null> {
  const published = await newestTerms(chain, protocol.programme)
  if (published === null) return null
  const { version, lawfulBasis, expires } = published.terms
  const breach = termsAgainst(study, protocol, published, systemClock.nowMs())
  return { version, lawfulBasis, expires, problem: breach === null ? null : toldError(breach) }
}

/** This site's file against a protocol. A file that cannot be read at all is an answer here, not an end. */
export async function previewData({ config, paths }: Pick<SiteView, 'config' | 'paths'>, protocol: Protocol): Promise<DataPreview> {
  try {
    const mapping = await readMapping(config.data.mapping === undefined ? null : resolve(paths.folder, config.data.mapping), protocol)
    const preview = await previewMapping(resolve(paths.folder, config.data.file), mapping, protocol)
    return { ...preview, problems: preview.problems.map(({ error, count }) => ({ ...toldError(error), count })) }
  } catch (error) {
    if (isRotaError(error)) return { ready: false, problem: toldError(error) }
    throw error
  }
}

async function changesSince(view: SiteView, record: StudyRecord, protocol: Protocol, signal: AbortSignal): Promise<ApprovalPreview['changes']> {
  const approvals = await view.chain.events(0, { kinds: ['StudyApproved'] })
  const earlier = approvals.flatMap((e) => (e.kind === 'StudyApproved' && e.site === view.own?.id && e.study !== record.id ? [e.study] : []))
  for (const since of [...new Set(earlier.reverse())]) {
    const before = await protocolOf({ folder: view }, await view.chain.study(since), signal).catch(() => null)
    if (before !== null) return { since, list: diffProtocols(before, protocol) }
  }
  return null
}
