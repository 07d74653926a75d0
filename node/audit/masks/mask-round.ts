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

/** What a round's masks follow from beside its own keys. */
export interface Before {
  /** Updates without which a round is void. */
  readonly quorum: number
  /** Who keyed in a void round since the last that came to something, and was not in. */
  readonly defaulted: ReadonlySet<SiteId>
}

const FIRST: Before = { quorum: 0, defaulted: new Set() }

export interface MaskLinks {
  readonly edges: MaskEdges
  /** By dealer who may contribute: who was dealt a share by it, itself too. */
  readonly holders: ReadonlyMap<SiteId, ReadonlySet<SiteId>>
}

/**
 * A site with fewer such partners than the threshold less one is out, the one with the fewest and the last of them first, and so on. So is one whose deal fewer hold than the
 * threshold, and half of the members that may be away, rounded down, and one at least; where that leaves more sites out, or too few in, than it should, fewer by one, and so
 * on, down to the threshold. Defaulters are out where the others are enough without them.
 */
export function linksOf(
  { members, threshold }: Pick<MaskRound, 'members' | 'threshold'>,
  keyed: readonly KeyedEvent[],
  { quorum, defaulted }: Before = FIRST,
): MaskLinks {
  const isMember = new Set(sitesOf(members))
  const here = keyed.filter(({ site }) => isMember.has(site))
  const names = new Map(here.map((each) => [each.site, dealName(each)]))
  const held = new Map(here.map((each) => [each.site, heldBy(each)]))
  const holds = (a: SiteId, b: SiteId): boolean => a === b || held.get(a)?.get(b)?.name === names.get(b)
  const all = [...names.keys()].sort((a, b) => a - b)
  const holders = new Map(all.map((dealer) => [dealer, new Set(all.filter((holder) => holds(holder, dealer)))]))
  const isHeld = (dealer: SiteId, holder: SiteId): boolean => holders.get(dealer)?.has(holder) === true
  const isEdge = (a: SiteId, b: SiteId): boolean => a !== b && isHeld(a, b) && isHeld(b, a)
  const most = Math.max(1, Math.floor((sizeOf(members) - threshold) / 2))
  const among = (sites: readonly SiteId[]): MaskEdges => {
    for (let spare = most; spare > 0; spare--) {
      const wellHeld = sites.filter((site) => (holders.get(site)?.size ?? 0) >= threshold + spare)
      const edges = joined(wellHeld, isEdge, threshold - 1)
      if (edges.size >= threshold && (spare === 1 || edges.size + most >= sites.length)) return edges
    }
    return joined(sites, isEdge, threshold - 1)
  }
  const reliable = among(all.filter((site) => !defaulted.has(site)))
  const edges = defaulted.size > 0 && reliable.size >= Math.max(threshold, quorum) ? reliable : among(all)
  return { edges, holders: new Map([...holders].filter(([site]) => edges.has(site))) }
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
