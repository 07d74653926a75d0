import { hasEnded, isStanding } from '#adapters/cohort/consent-end.ts'
import type { Standing } from '#adapters/cohort/consent-store.ts'
import { type Receipt, readReceipt } from '#adapters/cohort/receipt.ts'
import { systemClock } from '#adapters/host/system-host.ts'
import { type AtSite, atSite, heldProtocols, withdrawalsUnder } from '#app/site/at-site.ts'
import type { StudyCall } from '#app/study/studies.ts'
import type { Digest } from '#base/ids.ts'
import { type TagInRound, tagsInRounds } from './consent-history.ts'
import { type ConsentRoot, consentRoots, grantedRootIn } from './consent-root.ts'
import { type CheckedReceipt, checkedReceipt, rootsOf } from './receipt-check.ts'
import { type HistoryEntry, receiptHistory } from './receipt-history.ts'
import { type Renewed, renewReceipt } from './receipt-renew.ts'
import { cadenceOf } from './root-cadence.ts'

/** How a programme stands at this site: counts alone, and on this site's screen alone. */
export interface ProgrammeStatus {
  readonly programme: string
  /** Neither withdrawn nor at their end. */
  readonly granted: number
  /** Nobody withdrew them: their time, or that of their terms, is over. */
  readonly ended: number
  /** Withdrawn or objected at this desk. */
  readonly withdrawnHere: number
  /** Of this site's tags, withdrawn on chain. */
  readonly withdrawnOnChain: number
  /** Of all sites. */
  readonly withdrawalsOfAll: number
  readonly root: ConsentRoot | null
  /** The root on chain is that of the consents of now. */
  readonly current: boolean
  /** ISO: when the terms' cadence brings the next root; null for a programme without terms. */
  readonly nextRoot: string | null
}

/** How one receipt stands. */
export interface ReceiptStatus extends CheckedReceipt {
  readonly programme: string
  readonly tag: Digest
  readonly grantedAt: string
  /** Null: not withdrawn. */
  readonly withdrawnAtBlock: number | null
  /** 'ended': its time, or that of its terms, is over; 'unknown': another site's receipt. */
  readonly here: 'granted' | 'ended' | 'withdrawn' | 'unknown'
  readonly rounds: readonly TagInRound[]
  readonly history: readonly HistoryEntry[]
  /** The receipt, written anew with all this; null: not asked for, or another site's. */
  readonly renewed: Renewed | null
}

export interface ConsentStatus {
  readonly programmes: readonly ProgrammeStatus[]
  /** In the order in which they were given. */
  readonly receipts: readonly ReceiptStatus[]
}

/**
 * @param call.programme default: all that the record or a study here knows
 * @param call.renew writes this site's receipts anew, with their history
 * @throws ROTA-6001 the receipt, ROTA-6002 the record
 */
export const consentStatus = (
  call: StudyCall & { readonly programme: string | undefined; readonly receipts: readonly string[]; readonly renew?: boolean | undefined },
): Promise<ConsentStatus> =>
  atSite(call, async (site) => {
    const names = call.programme === undefined ? await programmesOf(site, call.signal) : [call.programme]
    return {
      programmes: await Promise.all(names.map((programme) => statusOf(site, programme))),
      receipts: await receiptStatuses(site, call.receipts, call.renew === true),
    }
  })

async function programmesOf(site: AtSite, signal: AbortSignal): Promise<readonly string[]> {
  const studied = [...(await heldProtocols(site, signal)).values()].map(({ programme }) => programme)
  return [...new Set([...(await site.folder.consents.programmes()), ...studied])].sort()
}

async function statusOf(site: AtSite, programme: string): Promise<ProgrammeStatus> {
  const [standings, onChain, roots, cadence] = await Promise.all([
    site.folder.consents.standings(programme),
    withdrawalsUnder(site.chain, programme),
    consentRoots(site, programme),
    cadenceOf(site, programme, systemClock),
  ])
  const root = roots.at(-1) ?? null
  const all = [...standings.values()]
  const nowMs = systemClock.nowMs()
  const isOnChain = ({ tag }: Standing): boolean => tag !== null && onChain.has(tag)
  return {
    programme,
    granted: all.filter((standing) => isStanding(standing, nowMs) && !isOnChain(standing)).length,
    ended: all.filter((standing) => isOver(standing, nowMs) && !isOnChain(standing)).length,
    withdrawnHere: all.filter(({ state, by }) => state === 'withdrawn' && by === undefined).length,
    withdrawnOnChain: all.filter(isOnChain).length,
    withdrawalsOfAll: onChain.size,
    root,
    current: root !== null && root.root === (await grantedRootIn({ folder: site.folder, clock: systemClock }, programme, root.epoch)),
    nextRoot: cadence === null ? null : new Date(cadence.next * 1000).toISOString(),
  }
}

const isOver = ({ state, until }: Standing, nowMs: number): boolean => state === 'granted' && hasEnded(until, nowMs)

async function receiptStatuses(site: AtSite, files: readonly string[], renew: boolean): Promise<readonly ReceiptStatus[]> {
  const receipts = await Promise.all(files.map(readReceipt))
  const fileOf = new Map(receipts.map((receipt, i) => [receipt, files[i] as string]))
  const statuses = new Map<Receipt, ReceiptStatus>()
  for (const [programme, under] of Map.groupBy(receipts, (receipt) => receipt.programme)) {
    const [onChain, here] = await Promise.all([withdrawalsUnder(site.chain, programme), site.folder.consents.tags(programme)])
    const known = under.flatMap(({ tag }) => {
      const standing = here.get(tag)
      return standing === undefined ? [] : [{ tag, patient: standing.patient }]
    })
    const rounds = known.length === 0 ? [] : await tagsInRounds(site, programme, known)
    for (const receipt of under) {
      const { tag, grantedAt } = receipt
      const whose = here.get(tag)
      const inRounds = rounds[known.findIndex((k) => k.tag === tag)] ?? []
      const history = await receiptHistory(site, receipt, whose?.patient ?? null, inRounds)
      statuses.set(receipt, {
        programme,
        tag,
        grantedAt,
        withdrawnAtBlock: onChain.get(tag) ?? null,
        here: whose === undefined ? 'unknown' : isOver(whose, systemClock.nowMs()) ? 'ended' : whose.state,
        rounds: inRounds,
        ...checkedReceipt(receipt, site.sites, receipt.version === 1 ? [] : await rootsOf(site.chain, receipt)),
        history,
        renewed:
          renew && whose !== undefined ? await renewReceipt(site, { file: fileOf.get(receipt) as string, receipt, patient: whose.patient, history }) : null,
      })
    }
  }
  return receipts.map((receipt) => statuses.get(receipt) as ReceiptStatus)
}
