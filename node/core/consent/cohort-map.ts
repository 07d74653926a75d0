import { type Sha256, utf8 } from '#base/bytes.ts'
import type { RoundNo, RunId } from '#base/ids.ts'
import type { MapEntry } from './keyed-map.ts'

/**
 * What a site commits to about consent (DESIGN section 9). Each consent has a *cohort secret* of 32 bytes that the site draws from its
 * own key and shows to nobody but the patient concerned and an auditor:
 *
 *   granted map, one a site, programme and epoch:   H(tag)                          → H(cohort secret)
 *   cohort map, one a site and round:               H(cohort secret, network, round) → (nothing)
 *
 * The granted map binds one secret to each tag; with it, and for this tag alone, anyone can compute the entry in every round's map.
 * Without it, two rounds' maps have nothing in common, whoever is in them. The cohort map is a counted one (`counted-map.ts`), so that members can be
 * drawn from it evenly.
 */
export interface CohortPlace {
  /** 32 bytes: `networkDigest`. */
  readonly network: Uint8Array
  readonly run: RunId
  readonly round: RoundNo
}

/** Two networks count runs alike, and must not make equal maps. @param directory address of the network's directory contract */
export const networkDigest = (chainId: bigint, directory: string, sha256: Sha256): Uint8Array =>
  sha256(utf8(`rota/network/1/${chainId}/${directory.toLowerCase()}`))

/** @param tag 32 bytes */
export const grantEntry = (tag: Uint8Array, secret: Uint8Array, sha256: Sha256): MapEntry => ({
  key: grantKey(tag, sha256),
  value: secretCommitment(secret, sha256),
})

export const grantKey = (tag: Uint8Array, sha256: Sha256): Uint8Array => sha256(GRANT, tag)
export const secretCommitment = (secret: Uint8Array, sha256: Sha256): Uint8Array => sha256(SECRET, secret)

export const cohortEntry = (secret: Uint8Array, place: CohortPlace, sha256: Sha256): MapEntry => ({ key: cohortKey(secret, place, sha256), value: PRESENT })

export const cohortKey = (secret: Uint8Array, { network, run, round }: CohortPlace, sha256: Sha256): Uint8Array =>
  sha256(ENTRY, secret, network, word32(run), word32(round))

/**
 * Entries with padding up to a power of two: a root alone does not tell a handful of patients from none. Nobody can tell padding from
 * entries without `pad`; who is shown it can tell that what it yields is padding and nobody's entry.
 * @param pad 32 bytes, another for each map
 */
export const paddedGrants = (entries: readonly MapEntry[], pad: Uint8Array, sha256: Sha256): MapEntry[] =>
  padded(entries, (i) => ({ key: sha256(PAD_KEY, pad, word32(i)), value: sha256(PAD_VALUE, pad, word32(i)) }))

/** The same, each entry of the padding by a seed of its own: one can be shown to be padding without a word about the others. */
export const paddedCohort = (entries: readonly MapEntry[], pad: Uint8Array, sha256: Sha256): MapEntry[] =>
  padded(entries, (i) => padEntry(padSeed(pad, i, sha256), sha256))

export const padSeed = (pad: Uint8Array, i: number, sha256: Sha256): Uint8Array => sha256(PAD_SEED, pad, word32(i))
export const padEntry = (seed: Uint8Array, sha256: Sha256): MapEntry => ({ key: sha256(PAD_KEY, seed), value: PRESENT })

const padded = (entries: readonly MapEntry[], padding: (i: number) => MapEntry): MapEntry[] => [
  ...entries,
  ...Array.from({ length: sizeFor(entries.length) - entries.length }, (_, i) => padding(i)),
]

function sizeFor(entries: number): number {
  let size = MIN_ENTRIES
  while (size < entries) size *= 2
  return size
}

/** Leaves that any map has at least. */
export const MIN_ENTRIES = 16
const GRANT = utf8('rota/grant/1')
const SECRET = utf8('rota/cohort-secret/1')
const ENTRY = utf8('rota/cohort/1')
const PAD_KEY = utf8('rota/pad/1')
const PAD_SEED = utf8('rota/pad-seed/1')
const PAD_VALUE = utf8('rota/pad-value/1')
/** A cohort map says who is in it and no more. */
export const PRESENT = new Uint8Array(32)

export const word32 = (n: number): Uint8Array => Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n)
