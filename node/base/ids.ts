/** Words that cross every boundary. A bare string or number never stands for one of these. */

declare const brand: unique symbol
type Brand<T, Name> = T & { readonly [brand]: Name }

/** 32 bytes as lower-case 0x-hex. */
export type Digest = Brand<string, 'Digest'>
/** An account on the chain, 20 bytes as lower-case 0x-hex. */
export type Address = Brand<string, 'Address'>
/** A site's place in SiteRegistry, 0 to 255: a set of sites is one 256-bit bitmap. */
export type SiteId = Brand<number, 'SiteId'>
/** Counts from 1 in StudyRegistry. */
export type StudyId = Brand<number, 'StudyId'>
/** Counts from 1 in RoundCoordinator, over all studies. */
export type RunId = Brand<number, 'RunId'>
/** Counts from 1 in its run; a void or refused round uses up its number. */
export type RoundNo = Brand<number, 'RoundNo'>
/** Counts from 0 in its round: how many publications came before. */
export type Attempt = Brand<number, 'Attempt'>
/** A set of sites: bit i is site i. */
export type Bitmap = Brand<bigint, 'Bitmap'>

export const siteId = (n: number): SiteId => n as SiteId
export const studyId = (n: number): StudyId => n as StudyId
export const runId = (n: number): RunId => n as RunId
export const roundNo = (n: number): RoundNo => n as RoundNo
export const attemptNo = (n: number): Attempt => n as Attempt

const HEX_32 = /^0x[0-9a-f]{64}$/
const HEX_20 = /^0x[0-9a-f]{40}$/

export const isDigest = (s: unknown): s is Digest => typeof s === 'string' && HEX_32.test(s)
export const isAddress = (s: unknown): s is Address => typeof s === 'string' && HEX_20.test(s)

/** @throws TypeError when it is not 32 bytes of hex: callers check what comes from outside first. */
export function digest(s: string): Digest {
  const lower = s.toLowerCase()
  if (!isDigest(lower)) throw new TypeError('not 32 bytes of 0x-hex')
  return lower
}

/** @throws TypeError when it is not 20 bytes of hex. */
export function address(s: string): Address {
  const lower = s.toLowerCase()
  if (!isAddress(lower)) throw new TypeError('not 20 bytes of 0x-hex')
  return lower
}

export const ZERO_DIGEST = `0x${'00'.repeat(32)}` as Digest
