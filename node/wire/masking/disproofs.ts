import { bitmapOf, sitesOf, sizeOf } from '#base/bitmap.ts'
import { concat } from '#base/bytes.ts'
import { type Bitmap, type SiteId, siteId } from '#base/ids.ts'
import { SHARE_BYTES } from '#core/masking/crypto.ts'
import type { Disproof } from '#core/masking/rebuild.ts'
import { fromCbor, toCbor } from '../cbor.ts'
import { isBytes, isSite, itemsOf, listOf, MASKING_VERSION, malformed, setBytes, setOf } from './parts.ts'
import { decodeRelease, encodeRelease, RELEASE_LIMIT_BYTES, type ReleaseMessage } from './release.ts'

/**
 * Why a site refuses a sum that nobody can unmask, in the place of what it took off (`Unmasking`): `own` of its attestation is the CID of this, sealed under
 * the key of the round's epoch. Others and auditors need not believe it: a dealer is bound to each of its shares, and to what they should rebuild.
 *
 *   [ version=2, "disproofs", site, proof (32), survivors (32, big endian), disproofs, the site's own release ]     dag-cbor array
 *   disproofs: [ dealer, holders (32), shares (33 each) ] each
 */
export interface Disproofs {
  readonly site: SiteId
  /** As of an `Unmasking`. */
  readonly proof: Uint8Array
  readonly survivors: Bitmap
  readonly disproofs: readonly Disproof[]
  readonly release: ReleaseMessage
}

const WHAT = 'disproofs'
/** Of 100 sites a third false, 67 shares each: 74 kB. */
const LIMIT_BYTES = 256 * 1024 + RELEASE_LIMIT_BYTES

export function encodeDisproofs({ site, proof, survivors, disproofs, release }: Disproofs): Uint8Array {
  const parts = disproofs.map(({ dealer, shares }) => {
    const inOrder = [...shares].sort((a, b) => a.holder - b.holder)
    return [dealer, setBytes(bitmapOf(inOrder.map(({ holder }) => holder))), concat(...inOrder.map(({ share }) => share))]
  })
  return toCbor([MASKING_VERSION, 'disproofs', site, proof, setBytes(survivors), parts, encodeRelease(release)])
}

/** Rather than what was taken off. */
export function areDisproofs(bytes: Uint8Array): boolean {
  const value = fromCbor(bytes, WHAT)
  return Array.isArray(value) && value[1] === 'disproofs'
}

/** @throws as `itemsOf` */
export function decodeDisproofs(bytes: Uint8Array): Disproofs {
  const [, kind, site, proof, survivors, parts, release] = itemsOf(bytes, WHAT, LIMIT_BYTES, 7)
  if (kind !== 'disproofs' || !isSite(site) || !isBytes(proof, 32) || !isBytes(survivors, 32)) throw malformed(WHAT)
  if (!Array.isArray(parts) || parts.length === 0 || !(release instanceof Uint8Array)) throw malformed(WHAT)
  return { site: siteId(site), proof, survivors: setOf(survivors), disproofs: parts.map(disproofOf), release: decodeRelease(release) }
}

function disproofOf(part: unknown): Disproof {
  const [dealer, holders, shares] = Array.isArray(part) ? (part as readonly unknown[]) : []
  if (!isSite(dealer) || !isBytes(holders, 32)) throw malformed(WHAT)
  const of = setOf(holders)
  const each = listOf(shares, SHARE_BYTES, sizeOf(of))
  if (each === undefined) throw malformed(WHAT)
  return { dealer: siteId(dealer), shares: sitesOf(of).map((holder, i) => ({ holder, share: each[i] as Uint8Array })) }
}
