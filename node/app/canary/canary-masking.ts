import { KEM_KEY_BYTES, KEM_TEXT_BYTES, SEAL_TAG_BYTES, SEED_BYTES, SHARE_BYTES } from '#core/masking/crypto.ts'
import { MOST_TOGETHER } from '#wire/masking/deal-file.ts'

/** Of each message: which round, what it is bound to, and its encoding. */
const AROUND_BYTES = 160
const COMMITMENT_BYTES = 32
const OFFER_BYTES = AROUND_BYTES + KEM_KEY_BYTES + 2 * SEED_BYTES
/** Two shares and a pair's secret, sealed for one member, and what binds the dealer to them. */
const PARCEL_BYTES = KEM_TEXT_BYTES + 2 * COMMITMENT_BYTES + 2 * SHARE_BYTES + SEED_BYTES + SEAL_TAG_BYTES + 32
/** Of each member: its parcel's digest, and the pair's tag. */
const NAMED_BYTES = 2 * (COMMITMENT_BYTES + 4)

/**
 * What one site gets of the others before a masked round can begin: their keys, and their secrets in shares. Among few sites all parcels come with each
 * deal, among many only its own. A site sends as much.
 */
export function keyingBytes(sites: number): number {
  const parcels = sites > MOST_TOGETHER ? PARCEL_BYTES : sites * PARCEL_BYTES
  return Math.max(0, sites - 1) * (OFFER_BYTES + AROUND_BYTES + sites * NAMED_BYTES + parcels)
}

/** What one site gets of the others before it can take the masks off a sum: of each a share for each site. */
export const unmaskingBytes = (sites: number): number => Math.max(0, sites - 1) * (AROUND_BYTES + sites * (SHARE_BYTES + 2))
