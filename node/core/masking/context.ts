import { sizeOf } from '#base/bitmap.ts'
import { concat, fromHex, type Sha256, utf8 } from '#base/bytes.ts'
import type { Address, Bitmap, Digest, RoundNo, RunId, SiteId, StudyId } from '#base/ids.ts'
import { thresholdOf } from './threshold.ts'

/** All that a masked round is bound to. Two sites that differ in any of it have no key in common, and the sum of their words is noise. */
export interface MaskingTerms {
  readonly chainId: bigint
  readonly genesis: Digest
  readonly coordinator: Address
  readonly study: StudyId
  readonly run: RunId
  readonly round: RoundNo
  /** Root of the model that is trained from; a refused round's repeat has another. */
  readonly baseRoot: Digest
  readonly protocol: Digest
  /**
   * Whom a site may deal to: the round's rota. Known to all before anybody deals, so that nobody can lower the threshold. Not those alone that are awaited: a
   * site that is back keys in with the others, and a round in which few came would be followed by one that awaits as few.
   */
  readonly members: Bitmap
}

export interface MaskingRound {
  readonly round: RoundNo
  readonly members: Bitmap
  /** Shares that rebuild a secret. */
  readonly threshold: number
  /** 32 bytes that stand for all the terms. */
  readonly ctx: Uint8Array
}

const VERSION = 'rota/masking/1'

export function maskingRound(terms: MaskingTerms, sha256: Sha256): MaskingRound {
  const words = [
    word(terms.chainId),
    fromHex(terms.genesis),
    word(BigInt(terms.coordinator)),
    ...[terms.study, terms.run, terms.round].map((n) => word(BigInt(n))),
    fromHex(terms.baseRoot),
    fromHex(terms.protocol),
    word(terms.members),
  ]
  return { round: terms.round, members: terms.members, threshold: thresholdOf(sizeOf(terms.members)), ctx: sha256(concat(utf8(VERSION), ...words)) }
}

/** For HKDF and hashes: what it is for, then the sites that it is about. No label begins another, thanks to the zero. */
export const labelled = (label: string, ...sites: readonly SiteId[]): Uint8Array => concat(utf8(`${VERSION} ${label}\0`), Uint8Array.from(sites))

/** 32 bytes, big-endian: every part of a context has one length. */
function word(value: bigint): Uint8Array {
  return fromHex(value.toString(16).padStart(64, '0'))
}
