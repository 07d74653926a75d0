import { sitesOf, sizeOf } from '#base/bitmap.ts'
import { concat, fromHex, utf8 } from '#base/bytes.ts'
import type { Address, Bitmap, Digest, RoundNo, RunId, SiteId, StudyId } from '#base/ids.ts'
import { sha256 } from '../digest.ts'

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

const VERSION = 'rota/masking/1'

export function maskRoundOf({ chainId, genesis, coordinator, study, run, round, epoch, baseRoot, protocol, members }: MaskTerms): MaskRound {
  const numbers = [study, run, round, epoch].map((n) => uint256(BigInt(n)))
  const ctx = sha256(utf8(VERSION), uint256(chainId), fromHex(genesis), uint256(BigInt(coordinator)), ...numbers, fromHex(protocol), uint256(members))
  return {
    members,
    threshold: Math.floor((2 * sizeOf(members)) / 3) + 1,
    ctx: new Uint8Array(ctx),
    modelCtx: new Uint8Array(sha256(label('model'), ctx, fromHex(baseRoot))),
  }
}

function uint256(value: bigint): Uint8Array {
  const bytes = new Uint8Array(32)
  for (let [i, rest] = [31, value]; rest > 0n; i--, rest >>= 8n) bytes[i] = Number(rest & 0xffn)
  return bytes
}

/** What a key or hash is for, and the sites that it is about. */
export const label = (purpose: string, ...sites: readonly SiteId[]): Uint8Array => concat(utf8(`${VERSION} ${purpose}\0`), Uint8Array.from(sites))

/** Two sites mask with each other when each said on chain that it holds the other's deal. */
export type MaskEdges = ReadonlyMap<SiteId, ReadonlySet<SiteId>>

/** A site with fewer such partners than the threshold (one less where no more sites are left) is out, the one with the fewest and the last of them first, and so on; if nobody would be left, one less always. */
export function edgesOf({ members, threshold }: MaskRound, keyed: readonly { readonly site: SiteId; readonly holds: Bitmap }[]): MaskEdges {
  const isMember = new Set(sitesOf(members))
  const holds = new Map(keyed.filter(({ site }) => isMember.has(site)).map(({ site, holds }) => [site, new Set(sitesOf(holds))]))
  const isEdge = (a: SiteId, b: SiteId): boolean => a !== b && holds.get(a)?.has(b) === true && holds.get(b)?.has(a) === true
  const all = [...holds.keys()].sort((a, b) => a - b)
  const strict = joined(all, isEdge, (left) => Math.max(threshold - 1, Math.min(threshold, left - 1)))
  return strict.size > 0 ? strict : joined(all, isEdge, () => threshold - 1)
}

/** The same among some sites alone. @param partners that each must have */
export const edgesAmong = (sites: readonly SiteId[], edges: MaskEdges, partners: number): MaskEdges =>
  joined(
    [...sites].sort((a, b) => a - b),
    (a, b) => edges.get(a)?.has(b) === true,
    () => partners,
  )

/** @param needed partners that each must have, of so many that are left */
function joined(all: readonly SiteId[], isEdge: (a: SiteId, b: SiteId) => boolean, needed: (left: number) => number): MaskEdges {
  let left = all
  for (;;) {
    const partners = (site: SiteId): SiteId[] => left.filter((other) => isEdge(site, other))
    const fewest = left.map((site) => ({ site, count: partners(site).length })).sort((a, b) => a.count - b.count || b.site - a.site)[0]
    if (fewest === undefined || fewest.count >= needed(left.length)) return new Map(left.map((site) => [site, new Set(partners(site))]))
    left = left.filter((site) => site !== fewest.site)
  }
}
