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
 *   [ version=1, "unmasking", site, proof (32), survivors (32, big endian), self seeds (32 each), dropped (32), mask seeds (32 each),
 *     pairs (66 each: lower, upper, secret), the site's own release ]     dag-cbor array
 */
export interface Unmasking {
  readonly site: SiteId
  /** H(site, H(1 ‖ model bytes)), the whole of `own` where nothing is masked. */
  readonly proof: Uint8Array
  readonly survivors: Bitmap
  /** Of the survivors, and of those that dropped out and share a mask with one of them. */
  readonly seeds: ReadonlyMap<SiteId, Uint8Array>
  /** Secrets that a dropped site's key record does not hide as it should. */
  readonly pairs: readonly PairSecret[]
  readonly release: ReleaseMessage
}

export interface PairSecret {
  readonly lower: SiteId
  readonly upper: SiteId
  readonly secret: Uint8Array
}

const WHAT = 'unmasking'
const PAIR_BYTES = 2 + SEED_BYTES
/** Of 256 sites. Pairs are few, or somebody keyed with a record that is false. */
const LIMIT_BYTES = 64 * 1024 + RELEASE_LIMIT_BYTES

export function encodeUnmasking({ site, proof, survivors, seeds, pairs, release }: Unmasking): Uint8Array {
  const dropped = sitesOf(bitmapOf(seeds.keys())).filter((each) => !has(survivors, each))
  const of = (sites: readonly SiteId[]): Uint8Array => concat(...sites.map((each) => seeds.get(each) as Uint8Array))
  const pairBytes = concat(...pairs.map(({ lower, upper, secret }) => concat(Uint8Array.of(lower, upper), secret)))
  return toCbor([
    MASKING_VERSION,
    'unmasking',
    site,
    proof,
    setBytes(survivors),
    of(sitesOf(survivors)),
    setBytes(bitmapOf(dropped)),
    of(dropped),
    pairBytes,
    encodeRelease(release),
  ])
}

/** @throws as `itemsOf` */
export function decodeUnmasking(bytes: Uint8Array): Unmasking {
  const [, kind, site, proof, survivors, self, dropped, masks, pairs, release] = itemsOf(bytes, WHAT, LIMIT_BYTES, 10)
  if (kind !== 'unmasking' || !isSite(site) || !isBytes(proof, 32) || !isBytes(survivors, 32) || !isBytes(dropped, 32)) throw malformed(WHAT)
  const [stayed, left] = [setOf(survivors), setOf(dropped)]
  const selfSeeds = listOf(self, SEED_BYTES, sizeOf(stayed))
  const maskSeeds = listOf(masks, SEED_BYTES, sizeOf(left))
  if (selfSeeds === undefined || maskSeeds === undefined || (stayed & left) !== 0n || !(release instanceof Uint8Array)) throw malformed(WHAT)
  if (!(pairs instanceof Uint8Array) || pairs.length % PAIR_BYTES !== 0) throw malformed(WHAT)
  return {
    site: siteId(site),
    proof,
    survivors: stayed,
    seeds: new Map([...zip(sitesOf(stayed), selfSeeds), ...zip(sitesOf(left), maskSeeds)]),
    pairs: Array.from({ length: pairs.length / PAIR_BYTES }, (_, i) => pairOf(pairs.subarray(i * PAIR_BYTES, (i + 1) * PAIR_BYTES))),
    release: decodeRelease(release),
  }
}

const pairOf = (bytes: Uint8Array): PairSecret => ({ lower: siteId(bytes[0] as number), upper: siteId(bytes[1] as number), secret: bytes.slice(2) })
const zip = (sites: readonly SiteId[], seeds: readonly Uint8Array[]) => sites.map((site, i) => [site, seeds[i] as Uint8Array] as const)
