import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { toHex } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import { expiresAt, type TermsRef } from '#core/consent/terms.ts'
import { consentKeys, SECRET_BYTES } from '#patient/keys.ts'
import type { Granted, ReceiptV2 } from '#patient/receipt.ts'
import type { Clock, Random } from '#ports/host.ts'
import type { Vault } from '#ports/vault.ts'
import { firstEnd, isStanding } from './consent-end.ts'
import type { ConsentEntry, ConsentStore } from './consent-store.ts'
import { diskError, writeDurably } from './durable-file.ts'
import type { EntryNote } from './imported.ts'
import { patientDigest } from './patient-digest.ts'
import { type Receipt, receiptFileName } from './receipt.ts'

export interface Desk {
  readonly store: ConsentStore
  readonly vault: Pick<Vault, 'keyedDigest'>
  readonly clock: Pick<Clock, 'nowMs'>
  readonly random: Random
  /** Makes what is handed out; default: a receipt of version 1 that names no network. */
  readonly issue?: (granted: GrantedKeys, secret: Uint8Array) => Receipt
}

/** What the desk itself knows of a consent. */
export type GrantedKeys = Pick<Granted, 'programme' | 'tag' | 'oneTimeAddress' | 'grantedAt'>

/**
 * Records consents and writes each patient's receipt into `folder`, to be handed over and then deleted there.
 * Consenting again after a withdrawal, or after the end of a consent, makes a new secret, so a new tag: a withdrawn tag is never valid again.
 * @returns in the order of `patients`
 * @throws ROTA-6003 when one of them already has a standing consent; then nothing is recorded
 */
export async function recordConsent(
  desk: Desk,
  programme: string,
  patients: readonly string[],
  folder: string,
  noted: (patient: string) => EntryNote = () => ({}),
): Promise<readonly { readonly patient: string; readonly receipt: Receipt; readonly file: string }[]> {
  const standings = await desk.store.standings(programme)
  const nowMs = desk.clock.nowMs()
  const consents = (patient: string): boolean => {
    const standing = standings.get(patientDigest(desk.vault, patient))
    return standing !== undefined && isStanding(standing, nowMs)
  }
  const seen = new Set<string>()
  const known = patients.findIndex((patient) => consents(patient) || seen.size === seen.add(patient).size)
  if (known >= 0) throw new RotaError('ROTA-6003', { programme, which: patients.length === 1 ? 'this patient' : `patient ${known + 1} of the list` })
  const made = patients.map((patient) => ({ patient, receipt: newReceipt(desk, programme) }))
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause) => {
    throw diskError(folder, cause)
  })
  const written = made.map(({ patient, receipt }) => ({ patient, receipt, file: join(folder, receiptFileName(receipt)) }))
  // Receipts first: a consent that nobody could withdraw must never stand.
  for (const { receipt, file } of written) await writeDurably(file, `${JSON.stringify(receipt, null, 2)}\n`)
  await desk.store.append(written.map(({ patient, receipt }) => grantOf(patientDigest(desk.vault, patient), receipt, noted(patient))))
  return written
}

/**
 * Stops the use of one patient's rows at this site at once; the tag on chain stops every other use (Chain.withdraw).
 * Under opt-out it works for a patient who never had a receipt.
 * @returns the tag to withdraw on chain, or null when there is none
 * @throws ROTA-6004 when there is nothing to withdraw
 */
export async function localWithdraw(desk: Desk, programme: string, patient: string, lawfulBasis: 'consent' | 'opt-out'): Promise<Digest | null> {
  const digest = patientDigest(desk.vault, patient)
  const standing = (await desk.store.standings(programme)).get(digest)
  if (standing?.state === 'withdrawn' || (standing === undefined && lawfulBasis === 'consent')) throw new RotaError('ROTA-6004', { programme })
  const tag = standing?.tag ?? null
  await desk.store.append([{ kind: 'withdrawn', patient: digest, programme, tag, at: isoNow(desk) }])
  return tag
}

function newReceipt(desk: Desk, programme: string): Receipt {
  const secret = desk.random.bytes(SECRET_BYTES)
  const { tag, oneTimeAddress } = consentKeys(secret, programme)
  const granted = { programme, tag, oneTimeAddress, grantedAt: isoNow(desk) }
  return desk.issue === undefined ? { version: 1, ...granted, secret: toHex(secret).slice(2) } : desk.issue(granted, secret)
}

const grantOf = (patient: Digest, receipt: Receipt, noted: EntryNote): ConsentEntry => ({
  ...{ kind: 'granted', patient, programme: receipt.programme, tag: receipt.tag, oneTimeAddress: receipt.oneTimeAddress, at: receipt.grantedAt },
  ...noted,
  ...agreedTo(receipt.version === 2 ? receipt.terms : null, noted.until),
})

/**
 * What the record keeps of the terms that a consent was given under: which, and that it counts no longer than they do.
 * @param until where it ends by itself, ISO
 */
export function agreedTo(terms: ReceiptV2['terms'], until?: string): { readonly terms?: TermsRef; readonly until?: string } {
  if (terms === null) return until === undefined ? {} : { until }
  const expiry = new Date(expiresAt(terms.agreed) * 1000).toISOString()
  return { terms: { version: terms.agreed.version, digest: terms.digest }, until: firstEnd([until, expiry]) ?? expiry }
}

const isoNow = (desk: Desk): string => new Date(desk.clock.nowMs()).toISOString()
