import { sitesOf, sizeOf } from '#base/bitmap.ts'
import { concat, fromHex, utf8 } from '#base/bytes.ts'
import type { Address, Bitmap, Digest, RoundNo, RunId, SiteId, StudyId } from '#base/ids.ts'
import { asDigest, sha256 } from '../digest.ts'

/** What the masks of a round are bound to, as the chain and the protocol tell it. */
export interface MaskTerms {
  readonly chainId: bigint
  readonly genesis: Digest
  readonly coordinator: Address
  readonly study: StudyId
  readonly run: RunId
  readonly round: RoundNo
  readonly epoch: number
  readonly baseRoot: Digest
  readonly protocol: Digest
  /** Who was awaited when it opened. */
  readonly members: Bitmap
}

/** A round's masking, worked out a second time for the audit. */
export interface MaskRound {
  readonly members: Bitmap
  /** Shares that rebuild a secret: more than two thirds of the members. */
  readonly threshold: number
  /** SHA-256 over all the terms but the model, numbers as 32 bytes, big endian: what deals are bound to. */
  readonly ctx: Uint8Array
  /** Over that and the model: what masks are bound to. */
  readonly modelCtx: Uint8Array
}

const VERSION = 'rota/masking/2'

export function maskRoundOf({ chainId, genesis, coordinator, study, run, round, epoch, baseRoot, protocol, members }: MaskTerms): MaskRound {
  const numbers = [study, run, round, epoch].map((n) => uint256(BigInt(n)))
  const ctx = sha256(utf8(VERSION), uint256(chainId), fromHex(genesis), uint256(BigInt(coordinator)), ...numbers, fromHex(protocol), uint256(members))
  return {
    members,
    threshold: thresholdOf(members),
    ctx: new Uint8Array(ctx),
    modelCtx: new Uint8Array(sha256(label('model'), ctx, fromHex(baseRoot))),
  }
}

export const thresholdOf = (members: Bitmap): number => Math.floor((2 * sizeOf(members)) / 3) + 1

function uint256(value: bigint): Uint8Array {
  const bytes = new Uint8Array(32)
  for (let [i, rest] = [31, value]; rest > 0n; i--, rest >>= 8n) bytes[i] = Number(rest & 0xffn)
  return bytes
}

/** What a key or hash is for, and the sites that it is about. */
export const label = (purpose: string, ...sites: readonly SiteId[]): Uint8Array => concat(utf8(`${VERSION} ${purpose}\0`), Uint8Array.from(sites))

/** Two sites mask with each other when each said on chain that it holds the deal that the other keyed with. */
export type MaskEdges = ReadonlyMap<SiteId, ReadonlySet<SiteId>>

/** What the chain says of a site that keyed. */
export interface KeyedEvent {
  readonly site: SiteId
  readonly dealDigest: Digest
  readonly dealCid: Digest
  readonly holds: Bitmap
  readonly heldDeals: string
}

/** Shares that a dealer showed to all before anybody masked, by holder. */
export type ShownBefore = ReadonlyMap<SiteId, { readonly mask: Uint8Array; readonly self: Uint8Array }>

export interface MaskLinks {
  readonly edges: MaskEdges
  /** By dealer who may contribute: who holds a share of it, itself too. */
  readonly holders: ReadonlyMap<SiteId, ReadonlySet<SiteId>>
  /** And the shares of all others that keyed. */
  readonly shownBefore: ReadonlyMap<SiteId, ShownBefore>
}

/**
 * A dealer is in where each site that keyed holds the very deal that it keyed with, or that site's shares were shown to all: of no more sites than keyed beyond the threshold. Then
 * a site with fewer partners than the threshold less one is out, the one with the fewest and the last of them first, and so on.
 * @param justified by dealer, what it showed and is bound to
 */
export function linksOf(
  { members, threshold }: Pick<MaskRound, 'members' | 'threshold'>,
  keyed: readonly KeyedEvent[],
  justified: ReadonlyMap<SiteId, ShownBefore> = new Map(),
): MaskLinks {
  const isMember = new Set(sitesOf(members))
  const here = keyed.filter(({ site }) => isMember.has(site))
  const names = new Map(here.map((each) => [each.site, dealName(each)]))
  const held = new Map(here.map((each) => [each.site, heldBy(each)]))
  const holds = (a: SiteId, b: SiteId): boolean => a === b || held.get(a)?.get(b)?.name === names.get(b)
  const all = [...names.keys()].sort((a, b) => a - b)
  const isBacked = (dealer: SiteId): boolean => {
    const lacking = all.filter((site) => !holds(site, dealer))
    return lacking.length === 0 || (lacking.length + threshold <= all.length && lacking.every((site) => justified.get(dealer)?.has(site)))
  }
  const edges = joined(all.filter(isBacked), (a, b) => a !== b && holds(a, b) && holds(b, a), threshold - 1)
  const dealers = [...edges.keys()]
  return {
    edges,
    holders: new Map(dealers.map((dealer) => [dealer, new Set(all.filter((holder) => holds(holder, dealer)))])),
    shownBefore: new Map(dealers.map((dealer) => [dealer, new Map(all.flatMap((site) => (holds(site, dealer) ? [] : shareOf(justified, dealer, site))))])),
  }
}

const shareOf = (justified: ReadonlyMap<SiteId, ShownBefore>, dealer: SiteId, holder: SiteId) => {
  const found = justified.get(dealer)?.get(holder)
  return found === undefined ? [] : [[holder, found] as const]
}

/** 20 bytes of SHA-256 over root and CID, in hex. */
const DIGITS = 40
const dealName = ({ dealDigest, dealCid }: KeyedEvent): string => asDigest(sha256(fromHex(dealDigest), fromHex(dealCid))).slice(2, 2 + DIGITS)

/** By dealer, what a site calls the deal that it holds, and what it hid of one below it (32 bytes). */
export function heldBy({ site, holds, heldDeals }: KeyedEvent): ReadonlyMap<SiteId, { readonly name: string; readonly hidden: Uint8Array | null }> {
  const held = new Map<SiteId, { readonly name: string; readonly hidden: Uint8Array | null }>()
  let rest = heldDeals.slice(2)
  for (const dealer of sitesOf(holds)) {
    const length = dealer < site ? DIGITS + 64 : DIGITS
    const hidden = rest.slice(DIGITS, length)
    held.set(dealer, { name: rest.slice(0, DIGITS), hidden: hidden.length === 64 ? fromHex(`0x${hidden}`) : null })
    rest = rest.slice(length)
  }
  return held
}

/** The same among some sites alone. @param partners that each must have */
export const edgesAmong = (sites: readonly SiteId[], edges: MaskEdges, partners: number): MaskEdges =>
  joined(
    [...sites].sort((a, b) => a - b),
    (a, b) => edges.get(a)?.has(b) === true,
    partners,
  )

/** @param needed partners that each must have */
function joined(all: readonly SiteId[], isEdge: (a: SiteId, b: SiteId) => boolean, needed: number): MaskEdges {
  let left = all
  for (;;) {
    const partners = (site: SiteId): SiteId[] => left.filter((other) => isEdge(site, other))
    const fewest = left.map((site) => ({ site, count: partners(site).length })).sort((a, b) => a.count - b.count || b.site - a.site)[0]
    if (fewest === undefined || fewest.count >= needed) return new Map(left.map((site) => [site, new Set(partners(site))]))
    left = left.filter((site) => site !== fewest.site)
  }
}
