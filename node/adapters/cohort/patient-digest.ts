import { utf8 } from '#base/bytes.ts'
import type { Digest } from '#base/ids.ts'
import type { Vault } from '#ports/vault.ts'

/** The patient in the consent record: the same for every study and file of this site. */
export const patientDigest = (vault: Pick<Vault, 'keyedDigest'>, patient: string): Digest => vault.keyedDigest('patient', utf8(patient))

/**
 * The patient in the ledger of used cohorts. Whether it trained or tested is part of it: one that changes sides shows
 * in the difference of two sums as much as one that leaves.
 */
export const usedDigest = (vault: Pick<Vault, 'keyedDigest'>, patient: string, set: 'train' | 'test'): Digest =>
  vault.keyedDigest('used', utf8(`${set}/`), utf8(patient))
