import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ConsentEntry } from '#adapters/cohort/consent-store.ts'
import { systemClock } from '#adapters/host/system-host.ts'
import { readGiven } from '#app/given-text.ts'
import { newestTerms } from '#app/programme/terms-on-chain.ts'
import { type AtSite, atSite, withdrawalsUnder } from '#app/site/at-site.ts'
import { sitePaths } from '#app/site/site-paths.ts'
import type { StudyCall } from '#app/study/studies.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import { readUnsealedWithdrawal, type WithdrawalReceipt } from '#patient/withdrawal-receipt.ts'
import { type ConsentRoot, consentRoots } from './consent-root.ts'
import { type FoundWithdrawal, lastWithdrawal } from './last-withdrawal.ts'
import { receiptNetwork } from './receipt-issue.ts'
import { knownLanguage } from './receipt-print.ts'
import { takeOverWithdrawals } from './take-over-withdrawals.ts'
import { type Confirmation, confirmWithdrawal } from './withdrawal-confirm.ts'

/** Between what a confirmation says and the entry that it was made of. */
const SAME_MS = 10_000

/** Confirmations that lie in files (none: all in the folder's `withdrawals` that have no signature), or the withdrawal of a patient by name. */
export type WhichConfirmations = { readonly files: readonly string[] } | { readonly programme: string; readonly patient: string }

/**
 * Countersigns confirmations that the desk printed while the chain was away, or makes one again, with their sheets. What is signed comes from the
 * record and the chain; of a file only which withdrawal it is about.
 * @throws ROTA-6001 a file that is none, 6030 the consent stands, 6031 a withdrawal that the record does not know, 6023 the language
 */
export const countersign = (
  call: StudyCall & { readonly which: WhichConfirmations; readonly language?: string | undefined },
): Promise<readonly Confirmation[]> =>
  atSite(call, async (site) => {
    const { which, language } = call
    if (language !== undefined) knownLanguage(language)
    if ('patient' in which) return [await countersignOf(site, which, { language })]
    const files = which.files.length > 0 ? which.files : await unsealedIn(sitePaths(call.folder).withdrawals)
    const confirmed: Confirmation[] = []
    for (const file of files) confirmed.push(await confirm(site, await withdrawalIn(site, file), { confirmations: dirname(file), language }))
    return confirmed
  })

/** Of one person's withdrawal; one that came from the chain alone is noted first. @throws as `lastWithdrawal` */
export async function countersignOf(site: AtSite, which: { readonly programme: string; readonly patient: string }, where: Where): Promise<Confirmation> {
  const { programme } = which
  await takeOverWithdrawals(site, programme, systemClock)
  const basis = (await newestTerms(site.chain, programme))?.terms.lawfulBasis
  return confirm(site, await lastWithdrawal(site.folder, which, basis), where)
}

type Where = Parameters<typeof confirmWithdrawal>[1]

async function confirm(site: AtSite, found: FoundWithdrawal, where: Where): Promise<Confirmation> {
  const { programme, tag } = found
  const block = tag === null ? undefined : (await withdrawalsUnder(site.chain, programme)).get(tag)
  return confirmWithdrawal(site.folder, where, {
    ...{ ...found, network: receiptNetwork(site), root: await rootWithout(site, programme, tag) },
    site: { id: site.own.id, name: site.own.name },
    onChain: block === undefined ? null : { block },
  })
}

async function withdrawalIn(site: AtSite, file: string): Promise<FoundWithdrawal> {
  const printed = readUnsealedWithdrawal(await readGiven(file))
  if (printed === null) throw new RotaError('ROTA-6001', { file })
  const entry = (await site.folder.consents.entriesUnder(printed.programme)).find((each) => isOf(each, printed))
  if (entry === undefined) throw new RotaError('ROTA-6031', { programme: printed.programme })
  return { ...printed, withdrawnAt: entry.at }
}

/** By its tag; without one, by its time. */
const isOf = ({ kind, tag, at }: ConsentEntry, printed: Pick<WithdrawalReceipt, 'tag' | 'withdrawnAt'>): boolean =>
  kind === 'withdrawn' && tag === printed.tag && (tag !== null || Math.abs(Date.parse(at) - Date.parse(printed.withdrawnAt)) < SAME_MS)

/** The last, where it does not hold the consent any more. */
async function rootWithout(site: AtSite, programme: string, tag: Digest | null): Promise<ConsentRoot | null> {
  const last = (await consentRoots(site, programme)).at(-1)
  if (last === undefined || tag === null) return null
  const then = (await site.folder.archive.grants(programme)).find(({ root }) => root === last.root)
  return then !== undefined && !(await site.folder.consents.stoodThen(programme, tag))(then) ? last : null
}

async function unsealedIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((): string[] => [])
  const files = names.filter((name) => /^withdrawal-[0-9a-f]{16}\.json$/.test(name)).map((name) => join(folder, name))
  const texts = await Promise.all(files.map(readGiven))
  return files.filter((_, i) => readUnsealedWithdrawal(texts[i] as string) !== null)
}
