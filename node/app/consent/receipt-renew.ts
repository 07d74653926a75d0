import { writeAtomic } from '#adapters/journal/atomic-file.ts'
import { termsUnder } from '#app/programme/terms-on-chain.ts'
import type { AtSite } from '#app/site/at-site.ts'
import { fromHex } from '#base/bytes.ts'
import type { Digest } from '#base/ids.ts'
import { completeReceipt, type Granted, type Receipt, receiptContent } from '#patient/receipt.ts'
import type { HistoryEntry } from '#patient/receipt-history.ts'
import { inclusionsIn, pageOf, receiptNetwork, signerOf } from './receipt-issue.ts'
import { printBeside, sheetLanguage } from './receipt-print.ts'

export interface Renewed {
  readonly file: string
  readonly sheet: string
}

/**
 * Writes a receipt of this site anew, with what happened since and the proof that a root holds it, countersigned. Of the old one only the
 * secret is taken: all else comes from the site's own record and the chain, so that nobody gets a signature under words of their own. One of
 * version 1 becomes one of version 2 by it.
 * @param patient its digest here
 * @throws ROTA-1306
 */
export async function renewReceipt(
  site: AtSite,
  {
    file,
    receipt,
    patient,
    history,
  }: { readonly file: string; readonly receipt: Receipt; readonly patient: Digest; readonly history: readonly HistoryEntry[] },
): Promise<Renewed | null> {
  const granted = await recordedAs(site, receipt, patient, history)
  if (granted === null) return null
  const renewed = completeReceipt(receiptContent({ ...granted, history }, signerOf(site)), fromHex(receipt.secret))
  await writeAtomic(file, `${JSON.stringify(renewed, null, 2)}\n`)
  return { file, sheet: await printBeside(file, renewed, sheetLanguage(renewed)) }
}

/** Null where the record does not hold this grant. */
async function recordedAs(site: AtSite, { programme, tag }: Receipt, patient: Digest, history: readonly HistoryEntry[]): Promise<Granted | null> {
  const { chain, folder, own } = site
  const entry = (await folder.consents.entriesOf(patient)).find((each) => each.kind === 'granted' && each.tag === tag)
  if (entry?.kind !== 'granted') return null
  const agreed = entry.terms
  const published = agreed === undefined ? undefined : (await termsUnder(chain, programme)).find(({ digest }) => digest === agreed.digest)
  const stood = history.find((each) => each.what === 'on chain')
  const terms = published === undefined ? null : { digest: published.digest, agreed: published.terms }
  return {
    ...{ programme, tag, oneTimeAddress: entry.oneTimeAddress, grantedAt: entry.at, network: receiptNetwork(site), site: { id: own.id, name: own.name } },
    ...{ terms, ...pageOf(site, terms) },
    inclusion: stood?.what === 'on chain' ? (await inclusionsIn(site, programme, stood))(tag) : null,
  }
}
