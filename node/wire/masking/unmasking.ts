import { bitmapOf, has, sitesOf, sizeOf } from '#base/bitmap.ts'
import { concat } from '#base/bytes.ts'
import { type Bitmap, type SiteId, siteId } from '#base/ids.ts'
import { SEED_BYTES } from '#core/masking/crypto.ts'
import { toCbor } from '../cbor.ts'
import { isBytes, isSite, itemsOf, listOf, MASKING_VERSION, malformed, setBytes, setOf } from './parts.ts'
import { decodeRelease, encodeRelease, RELEASE_LIMIT_BYTES, type ReleaseMessage } from './release.ts'

/**
 * What a site took off a published sum, kept for the study's life so that the round can be recomputed: `own` of its attestation is the CID of
 * this, sealed under the key of the round's epoch.
 *
 *   [ version=2, "unmasking", site, proof (32), survivors (32, big endian), self seeds (32 each), dropped (32), mask seeds (32 each), the site's own release ]     dag-cbor array
 */
export interface Unmasking {
  readonly site: SiteId
  /** H(site, H(1 ‖ model bytes)), the whole of `own` where nothing is masked. */
  readonly proof: Uint8Array
  readonly survivors: Bitmap
  /** Of the survivors, and of those that dropped out and share a mask with one of them. */
  readonly seeds: ReadonlyMap<SiteId, Uint8Array>
  readonly release: ReleaseMessage
}

const WHAT = 'unmasking'
/** 256 sites take 8 kB, and the release. */
const LIMIT_BYTES = 12 * 1024 + RELEASE_LIMIT_BYTES

export function encodeUnmasking({ site, proof, survivors, seeds, release }: Unmasking): Uint8Array {
  const dropped = sitesOf(bitmapOf(seeds.keys())).filter((each) => !has(survivors, each))
  const of = (sites: readonly SiteId[]): Uint8Array => concat(...sites.map((each) => seeds.get(each) as Uint8Array))
  return toCbor([
    MASKING_VERSION,
    'unmasking',
    site,
    proof,
    setBytes(survivors),
    of(sitesOf(survivors)),
    setBytes(bitmapOf(dropped)),
    of(dropped),
    encodeRelease(release),
  ])
}

/** @throws as `itemsOf` */
export function decodeUnmasking(bytes: Uint8Array): Unmasking {
  const [, kind, site, proof, survivors, self, dropped, masks, release] = itemsOf(bytes, WHAT, LIMIT_BYTES, 9)
  if (kind !== 'unmasking' || !isSite(site) || !isBytes(proof, 32) || !isBytes(survivors, 32) || !isBytes(dropped, 32)) throw malformed(WHAT)
  const [stayed, left] = [setOf(survivors), setOf(dropped)]
  const selfSeeds = listOf(self, SEED_BYTES, sizeOf(stayed))
  const maskSeeds = listOf(masks, SEED_BYTES, sizeOf(left))
  if (selfSeeds === undefined || maskSeeds === undefined || (stayed & left) !== 0n || !(release instanceof Uint8Array)) throw malformed(WHAT)
  return {
    site: siteId(site),
    proof,
    survivors: stayed,
    seeds: new Map([...zip(sitesOf(stayed), selfSeeds), ...zip(sitesOf(left), maskSeeds)]),
    release: decodeRelease(release),
  }
}

const zip = (sites: readonly SiteId[], seeds: readonly Uint8Array[]) => sites.map((site, i) => [site, seeds[i] as Uint8Array] as const)
