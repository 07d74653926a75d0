import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { toHex } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import type { Clock, Random } from '#ports/host.ts'
import type { Vault } from '#ports/vault.ts'
import type { ConsentEntry, ConsentStore } from './consent-store.ts'
import { consentKeys, SECRET_BYTES } from './consent-tags.ts'
import { diskError, writeDurably } from './durable-file.ts'
import { patientDigest } from './patient-digest.ts'
import { type Receipt, receiptFileName } from './receipt.ts'

export interface Desk {
  readonly store: ConsentStore
  readonly vault: Pick<Vault, 'keyedDigest'>
  readonly clock: Pick<Clock, 'nowMs'>
  readonly random: Random
  /** Named on receipts. */
  readonly network?: Receipt['network']
}

/**
 * Records consents and writes each patient's receipt into `folder`, to be handed over and then deleted there.
 * Consenting again after a withdrawal makes a new secret, so a new tag: a withdrawn tag is never valid again.
 * @returns in the order of `patients`
 * @throws ROTA-6003 when one of them already has a standing consent; then nothing is recorded
 */
export async function recordConsent(
  desk: Desk,
  programme: string,
  patients: readonly string[],
  folder: string,
): Promise<readonly { readonly patient: string; readonly receipt: Receipt; readonly file: string }[]> {
  const standings = await desk.store.standings(programme)
  const twice = new Set(patients).size !== patients.length
  if (twice || patients.some((p) => standings.get(patientDigest(desk.vault, p))?.state === 'granted')) throw new RotaError('ROTA-6003', { programme })
  const made = patients.map((patient) => ({ patient, receipt: newReceipt(desk, programme) }))
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause) => {
    throw diskError(folder, cause)
  })
  const written = made.map(({ patient, receipt }) => ({ patient, receipt, file: join(folder, receiptFileName(receipt)) }))
  // Receipts first: a consent that nobody could withdraw must never stand.
  for (const { receipt, file } of written) await writeDurably(file, `${JSON.stringify(receipt, null, 2)}\n`)
  await desk.store.append(written.map(({ patient, receipt }) => grantOf(patientDigest(desk.vault, patient), receipt)))
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

/** The same by receipt, when patient and desk only have that. @throws ROTA-6004 */
export async function localWithdrawByTag(desk: Desk, programme: string, tag: Digest): Promise<void> {
  const standings = await desk.store.standings(programme)
  const patient = [...standings].find(([, standing]) => standing.tag === tag && standing.state === 'granted')?.[0]
  if (patient === undefined) throw new RotaError('ROTA-6004', { programme })
  await desk.store.append([{ kind: 'withdrawn', patient, programme, tag, at: isoNow(desk) }])
}

function newReceipt(desk: Desk, programme: string): Receipt {
  const secret = desk.random.bytes(SECRET_BYTES)
  const { tag, oneTimeAddress } = consentKeys(secret, programme)
  return {
    version: 1,
    programme,
    tag,
    oneTimeAddress,
    secret: toHex(secret).slice(2),
    grantedAt: isoNow(desk),
    ...(desk.network === undefined ? {} : { network: desk.network }),
  }
}

const grantOf = (patient: Digest, receipt: Receipt): ConsentEntry => ({
  kind: 'granted',
  patient,
  programme: receipt.programme,
  tag: receipt.tag,
  oneTimeAddress: receipt.oneTimeAddress,
  at: receipt.grantedAt,
})

const isoNow = (desk: Desk): string => new Date(desk.clock.nowMs()).toISOString()
