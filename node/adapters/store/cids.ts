import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import { fromHex, toDigest } from '#base/bytes.ts'
import type { Digest } from '#base/ids.ts'

export const DAG_PB = 0x70
export const RAW = 0x55
export const SHA2_256 = 0x12

/** Roots are always dag-pb and CIDv1 (a single leaf gets a root too), so that 32 bytes on chain name exactly one CID. */
export const rootCid = (digest: Digest): CID => CID.createV1(DAG_PB, create(SHA2_256, fromHex(digest)))

export const digestOf = (cid: CID): Digest => toDigest(cid.multihash.digest)

/** Whether it is a CID that this store makes: CIDv1, raw or dag-pb, SHA-256. */
export const isOurs = (cid: CID): boolean =>
  cid.version === 1 && (cid.code === DAG_PB || cid.code === RAW) && cid.multihash.code === SHA2_256 && cid.multihash.digest.length === 32

export const leafCid = (digest: Digest): CID => CID.createV1(RAW, create(SHA2_256, fromHex(digest)))
