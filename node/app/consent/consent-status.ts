import { type Receipt, readReceipt } from '#adapters/cohort/receipt.ts'
import { type AtSite, atSite, heldProtocols, withdrawalsUnder } from '#app/site/at-site.ts'
import type { StudyCall } from '#app/study/studies.ts'
import type { Digest } from '#base/ids.ts'
import { type TagInRound, tagsInRounds } from './consent-history.ts'
import { type ConsentRoot, consentRoots, grantedRootIn } from './consent-root.ts'

/** How a programme stands at this site: counts alone, and on this site's screen alone. */
export interface ProgrammeStatus {
  readonly programme: string
  readonly granted: number
  /** Withdrawn or objected at this desk. */
  readonly withdrawnHere: number
  /** Of this site's tags, withdrawn on chain. */
  readonly withdrawnOnChain: number
  /** Of all sites. */
  readonly withdrawalsOfAll: number
  readonly root: ConsentRoot | null
  /** The root on chain is that of the consents of now. */
  readonly current: boolean
}

/** How one receipt stands. */
export interface ReceiptStatus {
  readonly programme: string
  readonly tag: Digest
  readonly grantedAt: string
  /** Null: not withdrawn. */
  readonly withdrawnAtBlock: number | null
  /** 'unknown': another site's receipt. */
  readonly here: 'granted' | 'withdrawn' | 'unknown'
  readonly rounds: readonly TagInRound[]
}

export interface ConsentStatus {
  readonly programmes: readonly ProgrammeStatus[]
  /** In the order in which they were given. */
  readonly receipts: readonly ReceiptStatus[]
}

/** @param call.programme default: all that the record or a study here knows @throws ROTA-6001 the receipt, ROTA-6002 the record */
export const consentStatus = (call: StudyCall & { readonly programme: string | undefined; readonly receipts: readonly string[] }): Promise<ConsentStatus> =>
  atSite(call, async (site) => {
    const names = call.programme === undefined ? await programmesOf(site, call.signal) : [call.programme]
    return {
      programmes: await Promise.all(names.map((programme) => statusOf(site, programme))),
      receipts: await receiptStatuses(site, call.receipts),
    }
  })

async function programmesOf(site: AtSite, signal: AbortSignal): Promise<readonly string[]> {
  const studied = [...(await heldProtocols(site, signal)).values()].map(({ programme }) => programme)
  return [...new Set([...(await site.folder.consents.programmes()), ...studied])].sort()
}

async function statusOf(site: AtSite, programme: string): Promise<ProgrammeStatus> {
  const [standings, onChain, roots] = await Promise.all([
    site.folder.consents.standings(programme),
    withdrawalsUnder(site.chain, programme),
    consentRoots(site, programme),
  ])
  const root = roots.at(-1) ?? null
  const all = [...standings.values()]
  return {
    programme,
    granted: all.filter(({ state, tag }) => state === 'granted' && !(tag !== null && onChain.has(tag))).length,
    withdrawnHere: all.filter(({ state }) => state === 'withdrawn').length,
    withdrawnOnChain: all.filter(({ tag }) => tag !== null && onChain.has(tag)).length,
    withdrawalsOfAll: onChain.size,
    root,
    current: root !== null && root.root === (await grantedRootIn(site, programme, root.epoch)),
  }
}

async function receiptStatuses(site: AtSite, files: readonly string[]): Promise<readonly ReceiptStatus[]> {
  const receipts = await Promise.all(files.map(readReceipt))
  const statuses = new Map<Receipt, ReceiptStatus>()
  for (const [programme, under] of Map.groupBy(receipts, (receipt) => receipt.programme)) {
    const [onChain, standings] = await Promise.all([withdrawalsUnder(site.chain, programme), site.folder.consents.standings(programme)])
    const here = new Map([...standings].map(([patient, { tag, state }]) => [tag, { patient, state }]))
    const known = under.flatMap(({ tag }) => {
      const standing = here.get(tag)
      return standing === undefined ? [] : [{ tag, patient: standing.patient }]
    })
    const rounds = known.length === 0 ? [] : await tagsInRounds(site, programme, known)
    for (const receipt of under) {
      const { tag, grantedAt } = receipt
      statuses.set(receipt, {
        programme,
        tag,
        grantedAt,
        withdrawnAtBlock: onChain.get(tag) ?? null,
        here: here.get(tag)?.state ?? 'unknown',
        rounds: rounds[known.findIndex((k) => k.tag === tag)] ?? [],
      })
    }
  }
  return receipts.map((receipt) => statuses.get(receipt) as ReceiptStatus)
}
