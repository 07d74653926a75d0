import { base64Url, fromBase64Url } from '#base/base64-url.ts'
import { equalBytes, fromHex, type Sha256, toHex } from '#base/bytes.ts'
import { type Digest, isDigest, roundNo, runId } from '#base/ids.ts'
import { cohortKey, grantKey, secretCommitment } from './cohort-map.ts'
import { type CountedProof, type Placed, placedBy } from './counted-map.ts'
import { type MapProof, type Shown, shownBy } from './keyed-map.ts'

/**
 * A proof in one of the site's maps, as written into a file. Siblings, most of it, in base64url (43 characters; hex, as in older receipts, is read too),
 * and '' for the many empty ones: where three maps are shown of 100,000, hex would take 4.7 kB, and this takes 3.5.
 */
export interface ToldMapProof {
  readonly end: { readonly key: string; readonly value: string } | null
  readonly siblings: readonly string[]
}

/** The same in a cohort map, whose nodes are counted. */
export interface ToldCountedProof extends ToldMapProof {
  readonly counts: readonly number[]
}

/** A proof in the map of consents of one epoch. */
export interface GrantProof {
  readonly epoch: number
  readonly map: ToldMapProof
}

/**
 * What a site shows to the holder of one receipt about one round. It holds nothing of anybody else. Checked with what stands on chain
 * alone (`ChainRecord`), by code that needs no network, in Node and in a browser.
 */
export interface CohortProof {
  readonly version: 1
  readonly programme: string
  readonly site: number
  readonly run: number
  readonly round: number
  readonly tag: Digest
  /** The cohort secret of this tag: with it the holder finds the tag's entry in every round's map, and nobody else does. */
  readonly secret: string
  /** Shows that the tag's secret is this one: in the epoch that stood when the site contributed or, where the tag was not in that one, another. */
  readonly granted: GrantProof
  /** Where `granted` is of another epoch: that the one that stood lacks the tag. */
  readonly standing: GrantProof | null
  /** Null: the site did not contribute in that round. */
  readonly cohort: ToldCountedProof | null
  /**
   * Under opt-out a record may be used before any consent is recorded, by a secret of the patient's in place of the tag's: shown where it was.
   * That it was not can be shown for tags alone.
   */
  readonly before: { readonly secret: string; readonly cohort: ToldCountedProof } | null
}

/** What the chain says about one site, programme, round and tag. */
export interface ChainRecord {
  readonly network: Uint8Array
  /** The block in which the round opened. */
  readonly openedAtBlock: number
  /** Null: the site did not contribute. */
  readonly contributed: { readonly root: Digest; readonly block: number } | null
  /** The site's roots over consents under the programme, oldest first. */
  readonly epochs: readonly { readonly epoch: number; readonly root: Digest; readonly block: number }[]
  /** Null: not withdrawn. */
  readonly withdrawnAtBlock: number | null
}

export type CohortState = 'in the declared cohort' | 'not in the declared cohort'

export type Verdict =
  | { readonly valid: true; readonly run: number; readonly round: number; readonly state: CohortState; readonly reason: string }
  | { readonly valid: false; readonly run: number; readonly round: number; readonly state: null; readonly reason: string }

/** What the receipt itself says, so that a proof cannot say otherwise; null: nothing. */
export interface Pinned {
  /** The hospital that gave it. */
  readonly site: number | null
  /** Of the tag's secret: `secretCommitment`. */
  readonly secret: Digest | null
}

export const NOT_PINNED: Pinned = { site: null, secret: null }

/** @param tag of the receipt whose holder asks */
export function judgeCohortProof(proof: CohortProof, tag: Digest, chain: ChainRecord, sha256: Sha256, pinned: Pinned = NOT_PINNED): Verdict {
  const bad = (reason: string): Verdict => ({ valid: false, run: proof.run, round: proof.round, state: null, reason })
  if (proof.tag !== tag) return bad('it is about another receipt')
  if (pinned.site !== null && proof.site !== pinned.site) return bad('it is about another hospital than the receipt')
  // Also where nothing was declared: any hospital could be named otherwise, and one that was not in the round has declared nothing.
  const unbound = whyUnbound(proof, chain, sha256)
  if (unbound !== null) return bad(unbound)
  if (pinned.secret !== null && !equalBytes(fromHex(pinned.secret), secretCommitment(fromHex(proof.secret), sha256)))
    return bad('it shows another secret than the receipt')
  if (chain.contributed === null)
    return proof.cohort === null
      ? told(proof, 'not in the declared cohort', 'the hospital declared no cohort in this round')
      : bad('the hospital declared no cohort in this round')
  if (proof.cohort === null) return bad('the hospital declared a cohort in this round and shows none')
  const { root } = chain.contributed
  const place = { network: chain.network, run: runId(proof.run), round: roundNo(proof.round) }
  const isIn = (secret: string, map: ToldCountedProof): Placed | null => placedIn(root, cohortKey(fromHex(secret), place, sha256), map, sha256)
  const shown = isIn(proof.secret, proof.cohort)
  const before = proof.before === null ? { present: false } : isIn(proof.before.secret, proof.before.cohort)
  if (shown === null || before === null) return bad('it does not lead to the cohort that the hospital declared on chain')
  if (before.present) return told(proof, 'in the declared cohort', 'used under opt-out, before this consent was recorded')
  return shown.present ? told(proof, 'in the declared cohort', whyIn(chain)) : told(proof, 'not in the declared cohort', whyNotIn(proof, chain))
}

const told = (proof: CohortProof, state: CohortState, reason: string): Verdict => ({ valid: true, run: proof.run, round: proof.round, state, reason })

const wasWithdrawn = ({ withdrawnAtBlock, openedAtBlock }: ChainRecord): boolean => withdrawnAtBlock !== null && withdrawnAtBlock <= openedAtBlock

const whyIn = (chain: ChainRecord): string =>
  wasWithdrawn(chain)
    ? `against the withdrawal: it stood in block ${chain.withdrawnAtBlock}, and the round opened in block ${chain.openedAtBlock}`
    : 'the hospital declared it as used'

function whyNotIn({ standing }: CohortProof, chain: ChainRecord): string {
  if (wasWithdrawn(chain)) return `withdrawn in block ${chain.withdrawnAtBlock}; the round opened in block ${chain.openedAtBlock}`
  return standing === null ? 'consent stood, and the hospital did not use it' : 'no consent stood when the round was contributed to'
}

/**
 * Why the secret is not shown to be the one of this tag; null where it is. A root that came after the round, and after the withdrawal, shows nothing: it could be
 * made with another secret on purpose, to deny that the tag was in.
 */
function whyUnbound({ granted, standing, tag, secret }: CohortProof, { epochs, contributed, withdrawnAtBlock }: ChainRecord, sha256: Sha256): string | null {
  const key = grantKey(fromHex(tag), sha256)
  const at = epochs.find(({ epoch }) => epoch === granted.epoch)
  if (at === undefined) return `the hospital put no root of consents on chain for epoch ${granted.epoch}`
  const isAfterwards = at.block > (contributed?.block ?? 0) && withdrawnAtBlock !== null && at.block >= withdrawnAtBlock
  if (isAfterwards) return `it shows the consent in epoch ${granted.epoch}, which came after the round and after the withdrawal`
  const shown = shownIn(at.root, key, granted.map, sha256)
  if (shown?.present !== true || !equalBytes(shown.value, secretCommitment(fromHex(secret), sha256)))
    return `it does not show the consent in epoch ${granted.epoch}, or with another secret`
  const stood = epochs.findLast(({ block }) => block <= (contributed?.block ?? 0))
  if (stood === undefined || stood.epoch === granted.epoch) return null
  if (standing?.epoch !== stood.epoch) return `it passes over epoch ${stood.epoch}, which stood when the hospital contributed`
  return shownIn(stood.root, key, standing.map, sha256)?.present === false ? null : `it does not show that epoch ${stood.epoch} lacked the consent`
}

/** What a proof as written shows of a key under a root; null: nothing, it does not lead there. */
export const shownIn = (root: Digest, key: Uint8Array, told: ToldMapProof, sha256: Sha256): Shown => shownBy(fromHex(root), key, fromTold(told), sha256)

/** The same in a cohort map, with the key's place. */
export const placedIn = (root: Digest, key: Uint8Array, told: ToldCountedProof, sha256: Sha256): Placed | null =>
  placedBy(fromHex(root), key, { ...fromTold(told), counts: told.counts }, sha256)

const fromTold = ({ end, siblings }: ToldMapProof): MapProof => ({
  end: end === null ? null : { key: fromHex(end.key), value: fromHex(end.value) },
  siblings: siblings.map((sibling) => (sibling === '' ? EMPTY : sibling.length === BASE64_LENGTH ? (fromBase64Url(sibling) ?? EMPTY) : fromHex(sibling))),
})

const EMPTY = new Uint8Array(32)
const BASE64_LENGTH = 43

export const tellMapProof = ({ end, siblings }: MapProof): ToldMapProof => ({
  end: end === null ? null : { key: toHex(end.key), value: toHex(end.value) },
  siblings: siblings.map((sibling) => (equalBytes(sibling, EMPTY) ? '' : base64Url(sibling))),
})

export const tellCountedProof = (proof: CountedProof): ToldCountedProof => ({ ...tellMapProof(proof), counts: proof.counts })

/** Reads a proof that somebody sent; null where it is none. */
export function readCohortProof(text: string): CohortProof | null {
  try {
    const p = JSON.parse(text) as Partial<CohortProof>
    const numbers = [p.site, p.run, p.round].every((n) => typeof n === 'number' && Number.isInteger(n) && n >= 0)
    const fits = p.version === 1 && isProgramme(p.programme) && numbers && isDigest(p.tag) && isDigest(p.secret)
    const proofs = isGrant(p.granted) && (p.standing === null || isGrant(p.standing)) && (p.cohort === null || isCountedProof(p.cohort))
    const before = p.before === null || (isDigest(p.before?.secret) && isCountedProof(p.before?.cohort))
    return fits && proofs && before ? (p as CohortProof) : null
  } catch {
    return null
  }
}

/** A name as a protocol takes it, and nothing that a terminal or a page would take for more. */
export const isProgramme = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= 100 && !/\p{Cc}|\p{Zl}|\p{Zp}/u.test(value)

export const isGrant = (value: unknown): value is GrantProof => {
  const g = value as Partial<GrantProof> | null | undefined
  return typeof g === 'object' && g !== null && Number.isInteger(g.epoch) && isMapProof(g.map)
}

const isCountedProof = (value: unknown): value is ToldCountedProof => isMapProof(value) && isCounts((value as Partial<ToldCountedProof>).counts, value.siblings)

/** A number for each sibling; whether it is the right one, the root says. */
export const isCounts = (counts: unknown, siblings: readonly string[]): counts is readonly number[] =>
  Array.isArray(counts) && counts.length === siblings.length && counts.every((count) => Number.isInteger(count))

const isSibling = (value: unknown): boolean =>
  value === '' || isDigest(value) || (typeof value === 'string' && value.length === BASE64_LENGTH && fromBase64Url(value) !== null)

export const areSiblings = (value: unknown): value is readonly string[] => Array.isArray(value) && value.length <= 256 && value.every(isSibling)

const isMapProof = (value: unknown): value is ToldMapProof => {
  const m = value as Partial<ToldMapProof> | null | undefined
  if (typeof m !== 'object' || m === null || !areSiblings(m.siblings)) return false
  return m.end === null || (typeof m.end === 'object' && isDigest(m.end?.key) && isDigest(m.end?.value))
}
