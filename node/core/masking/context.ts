import { sizeOf } from '#base/bitmap.ts'
import { concat, fromHex, type Sha256, utf8 } from '#base/bytes.ts'
import type { Address, Bitmap, Digest, RoundNo, RunId, SiteId, StudyId } from '#base/ids.ts'
import { thresholdOf } from './threshold.ts'

/** What the secrets of a masked round are bound to. Known before the round opens, so that they can be shared out while the one before it still goes on. */
export interface DealingTerms {
  readonly chainId: bigint
  readonly genesis: Digest
  readonly coordinator: Address
  readonly study: StudyId
  readonly run: RunId
  readonly round: RoundNo
  /** Of the study's key: the deals lie under it. */
  readonly epoch: number
  readonly protocol: Digest
  /** Whom a site may deal to: those whom the round awaited when it opened. Known to all before anybody deals, so that nobody can lower the threshold. */
  readonly members: Bitmap
}

/** All that a masked round is bound to. Two sites that differ in any of it have no key in common, and the sum of their words is noise. */
export interface MaskingTerms extends DealingTerms {
  /** Root of the model that is trained from; a refused round's repeat has another. */
  readonly baseRoot: Digest
}

export interface DealingRound {
  readonly round: RoundNo
  readonly members: Bitmap
  /** Shares that rebuild a secret. */
  readonly threshold: number
  /** 32 bytes that stand for the terms of dealing: a deal of others does not open. */
  readonly ctx: Uint8Array
}

export interface MaskingRound extends DealingRound {
  /** 32 bytes that stand for those and the model: masks of another do not cancel. */
  readonly modelCtx: Uint8Array
}

const VERSION = 'rota/masking/2'

export function dealingRound(terms: DealingTerms, sha256: Sha256): DealingRound {
  const words = [
    word(terms.chainId),
    fromHex(terms.genesis),
    word(BigInt(terms.coordinator)),
    ...[terms.study, terms.run, terms.round, terms.epoch].map((n) => word(BigInt(n))),
    fromHex(terms.protocol),
    word(terms.members),
  ]
  return { round: terms.round, members: terms.members, threshold: thresholdOf(sizeOf(terms.members)), ctx: sha256(concat(utf8(VERSION), ...words)) }
}

/** The model comes last: keys of masks are derived from it and from what was shared out before it was known. */
export function maskingRound(terms: MaskingTerms, sha256: Sha256): MaskingRound {
  const dealing = dealingRound(terms, sha256)
  return { ...dealing, modelCtx: sha256(concat(labelled('model'), dealing.ctx, fromHex(terms.baseRoot))) }
}

/** For HKDF and hashes: what it is for, then the sites that it is about. No label begins another, thanks to the zero. */
export const labelled = (label: string, ...sites: readonly SiteId[]): Uint8Array => concat(utf8(`${VERSION} ${label}\0`), Uint8Array.from(sites))

/** 32 bytes, big-endian: every part of a context has one length. */
function word(value: bigint): Uint8Array {
  return fromHex(value.toString(16).padStart(64, '0'))
}
