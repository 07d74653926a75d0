import type { GrantedKeys } from '#adapters/cohort/consent-desk.ts'
import { grantedMap } from '#adapters/cohort/site-maps.ts'
import { writeAtomic } from '#adapters/journal/atomic-file.ts'
import { newestTerms } from '#app/programme/terms-on-chain.ts'
import type { AtSite } from '#app/site/at-site.ts'
import { fromHex } from '#base/bytes.ts'
import { type Address, address, type Digest } from '#base/ids.ts'
import { grantKey } from '#core/consent/cohort-map.ts'
import { tellMapProof } from '#core/consent/cohort-proof.ts'
import { proveKey } from '#core/consent/keyed-map.ts'
import { completeReceipt, type Granted, type Inclusion, type Receipt, type ReceiptContent, type ReceiptV2, receiptContent } from '#patient/receipt.ts'
import { sha256 } from '../sha256.ts'
import type { ConsentRoot } from './consent-root.ts'
import { printBeside, sheetLanguage } from './receipt-print.ts'

/** What a site puts on every receipt under one programme, and signs. */
export interface Issuer {
  /** What is handed out where the site drew the secret. */
  issue(granted: GrantedKeys, secret: Uint8Array, inclusion?: Inclusion | null): ReceiptV2
  /** What is handed out where the patient drew it, in the browser, and the site never sees it. */
  content(granted: GrantedKeys): ReceiptContent
}

/** With the newest terms that the chain has. */
export async function issuerAt(site: AtSite, programme: string): Promise<Issuer> {
  const { own } = site
  const published = await newestTerms(site.chain, programme)
  const terms = published === null ? null : { digest: published.digest, agreed: published.terms }
  const signer = signerOf(site)
  const place = { network: receiptNetwork(site), site: { id: own.id, name: own.name }, terms, ...pageOf(site, terms) }
  const content = (granted: GrantedKeys, inclusion: Inclusion | null = null): ReceiptContent => receiptContent({ ...granted, ...place, inclusion }, signer)
  return { content, issue: (granted, secret, inclusion) => completeReceipt(content(granted, inclusion), secret) }
}

/** Where the site's patients find their page, if not at the first portal of the terms. A card without portals could open it and ask nobody. */
export const pageOf = ({ folder }: Pick<AtSite, 'folder'>, terms: Granted['terms']): Pick<Granted, 'page'> => {
  const page = folder.config.portal?.page
  return page === undefined || terms === null ? {} : { page }
}

/** The account that the chain knows the site's node by. */
export const signerOf = ({ folder: { vault } }: Pick<AtSite, 'folder'>): { readonly account: Address; readonly nodeKey: Uint8Array } => ({
  account: vault.nodeAccount,
  nodeKey: fromHex(vault.nodeKey),
})

export const receiptNetwork = ({ folder, chain }: Pick<AtSite, 'folder' | 'chain'>): Granted['network'] => ({
  chainId: Number(chain.chainId),
  contracts: address(folder.config.contracts),
  consentRegistry: address(chain.link.addresses.ConsentRegistry),
})

/** Where tags stand in the root that is on chain; null for those that are not in it yet. */
export async function inclusionsIn(site: AtSite, programme: string, stood: ConsentRoot): Promise<(tag: Digest) => Inclusion | null> {
  const { epoch, root, block } = stood
  const archived = (await site.folder.archive.grants(programme)).find((grants) => grants.root === root)
  if (archived === undefined) return () => null
  const tags = await site.folder.consents.tagsThen(programme, archived)
  const map = grantedMap(site.folder.vault, programme, tags, epoch)
  const known = new Set(tags)
  return (tag) => (known.has(tag) ? { epoch, root, block, map: tellMapProof(proveKey(map, grantKey(fromHex(tag), sha256))) } : null)
}

/** A receipt that lies in a folder, to be handed over. */
export interface Handed {
  readonly file: string
  readonly receipt: Receipt
}

/**
 * Makes receipts ready to hand over: with the proof that the root on chain holds them, where it does, and a sheet to print beside each.
 * @param language of the sheets; default: `sheetLanguage`
 */
export async function handOut(
  site: AtSite,
  issuer: Issuer,
  programme: string,
  made: readonly Handed[],
  stood: ConsentRoot | null,
  language?: string,
): Promise<void> {
  if (made.length === 0) return
  const inclusionOf = stood === null ? () => null : await inclusionsIn(site, programme, stood)
  for (const { file, receipt } of made) {
    const inclusion = inclusionOf(receipt.tag)
    const whole = issuer.issue(receipt, fromHex(receipt.secret), inclusion)
    if (inclusion !== null) await writeAtomic(file, `${JSON.stringify(whole, null, 2)}\n`)
    await printBeside(file, whole, sheetLanguage(whole, language))
  }
}
