import { fromHex, toDigest } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import { type Digest, type SiteId, type StudyId, siteId, studyId } from '#base/ids.ts'
import { fromCbor, toCbor } from './cbor.ts'

/**
 * One member asks another how it stands before a run: dag-cbor arrays, one question and one answer a stream.
 *
 *   question  [ version=1, "link", probe (32), bytes, times ]           "fetch this block of mine so often; and here I take yours"
 *             [ version=1, "way", site, bytes ]                         "how is the way between you and that member, for vectors of this size?"
 *             [ version=1, "site", study, protocol digest (32) ]        "how long would this study's training take you?"
 *   answer    [ version=1, "link", ms or null, probe (32), bytes ]
 *             [ version=1, "way", error code ]
 *             [ version=1, "way", relayed, round trip µs, its clock minus mine ms, B/s from it, B/s to it ]
 *             [ version=1, "site", seconds or null, why not, backend, write B/s, read B/s, disk used ‰, software, arithmetic ]
 *
 * An answer holds times and speeds of a machine and nothing of a patient: seconds of training come rounded up (app/canary/canary-training.ts), so that they
 * do not tell how many rows there are.
 */
export const CANARY_PROTOCOL = '/rota/canary/1'
const VERSION = 1
export const CANARY_LIMIT_BYTES = 1024
/** A probe is fetched block by block, and never written: what one member can make another fetch is bounded by this. */
export const MOST_PROBE_BYTES = 1024 * 1024
export const MOST_PROBES = 8

export type CanaryQuestion = LinkQuestion | WayQuestion | SiteQuestion
export interface LinkQuestion {
  readonly kind: 'link'
  readonly probe: Digest
  readonly bytes: number
  readonly times: number
}
export interface WayQuestion {
  readonly kind: 'way'
  readonly site: SiteId
  /** Of the study's vector: what is sent to measure is bounded by `MOST_PROBES` of `MOST_PROBE_BYTES`. */
  readonly bytes: number
}
export interface SiteQuestion {
  readonly kind: 'site'
  readonly study: StudyId
  readonly protocolDigest: Digest
}

export interface LinkAnswer {
  readonly kind: 'link'
  /** How long the asker's probes took to come; null when they did not. */
  readonly ms: number | null
  readonly probe: Digest
  readonly bytes: number
}

/** The way between the member that answers and the one asked for. */
export type WayAnswer = WayFound | { readonly kind: 'way'; readonly problem: string }
export interface WayFound {
  readonly kind: 'way'
  readonly problem: null
  readonly relayed: boolean
  readonly rttMs: number
  readonly clockOffsetMs: number
  readonly downBytesPerSecond: number
  readonly upBytesPerSecond: number
}

/** Why a site cannot say how long its training takes. */
export const WHY_NOT = ['', 'notApproved', 'noProtocol', 'otherProtocol', 'belowMinRows', 'dataError', 'busy', 'failed'] as const
export type WhyNot = (typeof WHY_NOT)[number]

export interface SiteAnswer {
  readonly kind: 'site'
  /** Longest usual time from a round's opening to the site's commitment, in seconds, rounded up; null: not measured, see `whyNot`. */
  readonly trainSeconds: number | null
  readonly whyNot: WhyNot
  /** '' where the study needs none. */
  readonly backend: string
  readonly writeBytesPerSecond: number
  readonly readBytesPerSecond: number
  /** Of the disk with the store, in thousandths. */
  readonly diskUsedPermille: number
  readonly software: string
  readonly arithmetic: Digest
}
export type CanaryAnswer = LinkAnswer | WayAnswer | SiteAnswer

export function encodeQuestion(q: CanaryQuestion): Uint8Array {
  if (q.kind === 'way') return toCbor([VERSION, q.kind, q.site, q.bytes])
  return toCbor(q.kind === 'link' ? [VERSION, q.kind, fromHex(q.probe), q.bytes, q.times] : [VERSION, q.kind, q.study, fromHex(q.protocolDigest)])
}

/** @throws ROTA-4002 too long, ROTA-4003 unknown version, ROTA-4001 anything else */
export function decodeQuestion(bytes: Uint8Array): CanaryQuestion {
  const [, kind, ...rest] = partsOf(bytes)
  if (kind === 'link' && rest.length === 3) {
    const [probe, size, times] = rest
    if (is32(probe) && isWhole(size, 1, MOST_PROBE_BYTES) && isWhole(times, 1, MOST_PROBES)) return { kind, probe: toDigest(probe), bytes: size, times }
  }
  if (kind === 'way' && rest.length === 2) {
    const [site, size] = rest
    if (isWhole(site, 0, 255) && isWhole(size, 1, MOST_VECTOR_BYTES)) return { kind, site: siteId(site), bytes: size }
  }
  if (kind === 'site' && rest.length === 2) {
    const [study, digest] = rest
    if (isWhole(study, 1, 0xffffffff) && is32(digest)) return { kind, study: studyId(study), protocolDigest: toDigest(digest) }
  }
  throw malformed()
}

export const encodeAnswer = (a: CanaryAnswer): Uint8Array => toCbor([VERSION, a.kind, ...fieldsOf(a)])

function fieldsOf(a: CanaryAnswer): readonly unknown[] {
  if (a.kind === 'link') return [a.ms === null ? null : Math.round(a.ms), fromHex(a.probe), a.bytes]
  if (a.kind === 'site') {
    const { trainSeconds, whyNot, backend, writeBytesPerSecond, readBytesPerSecond, diskUsedPermille, software, arithmetic } = a
    const speeds = [Math.round(writeBytesPerSecond), Math.round(readBytesPerSecond)]
    return [trainSeconds, WHY_NOT.indexOf(whyNot), backend, ...speeds, diskUsedPermille, software, fromHex(arithmetic)]
  }
  if (a.problem !== null) return [a.problem]
  return [a.relayed, Math.round(a.rttMs * 1000), Math.round(a.clockOffsetMs), Math.round(a.downBytesPerSecond), Math.round(a.upBytesPerSecond)]
}

/** @throws as `decodeQuestion` */
export function decodeAnswer(bytes: Uint8Array): CanaryAnswer {
  const [, kind, ...rest] = partsOf(bytes)
  const answer = kind === 'link' ? linkAnswer(rest) : kind === 'way' ? wayAnswer(rest) : kind === 'site' ? siteAnswer(rest) : null
  if (answer === null) throw malformed()
  return answer
}

function linkAnswer(rest: readonly unknown[]): LinkAnswer | null {
  const [ms, probe, bytes] = rest
  if (rest.length !== 3 || !(ms === null || isWhole(ms, 0, MOST_MS)) || !is32(probe) || !isWhole(bytes, 1, MOST_PROBE_BYTES)) return null
  return { kind: 'link', ms, probe: toDigest(probe), bytes }
}

function wayAnswer(rest: readonly unknown[]): WayAnswer | null {
  const [relayed, micros, offset, down, up] = rest
  if (rest.length === 1) return isErrorCode(relayed) ? { kind: 'way', problem: relayed } : null
  if (rest.length !== 5 || typeof relayed !== 'boolean' || !isWhole(micros, 0, MOST_MS) || !isWhole(offset, -1e15, 1e15)) return null
  if (!isWhole(down, 0, MOST_SPEED) || !isWhole(up, 0, MOST_SPEED)) return null
  return { kind: 'way', problem: null, relayed, rttMs: micros / 1000, clockOffsetMs: offset, downBytesPerSecond: down, upBytesPerSecond: up }
}

function siteAnswer(rest: readonly unknown[]): SiteAnswer | null {
  const [trainSeconds, why, backend, write, read, used, software, arithmetic] = rest
  const whyNot = WHY_NOT[why as number]
  if (rest.length !== 8 || whyNot === undefined || !isText(backend) || !isText(software) || !is32(arithmetic)) return null
  if (!(trainSeconds === null || isWhole(trainSeconds, 1, MOST_MS / 1000)) || (trainSeconds === null) === (whyNot === '')) return null
  if (!isWhole(write, 0, MOST_SPEED) || !isWhole(read, 0, MOST_SPEED) || !isWhole(used, 0, 1000)) return null
  return {
    kind: 'site',
    trainSeconds,
    whyNot,
    backend,
    writeBytesPerSecond: write,
    readBytesPerSecond: read,
    diskUsedPermille: used,
    software,
    arithmetic: toDigest(arithmetic),
  }
}

function partsOf(bytes: Uint8Array): readonly unknown[] {
  if (bytes.length > CANARY_LIMIT_BYTES) throw new RotaError('ROTA-4002', { size: bytes.length, limit: CANARY_LIMIT_BYTES })
  const value = fromCbor(bytes, 'canary message')
  if (!Array.isArray(value) || value.length === 0) throw malformed()
  if (value[0] !== VERSION) throw new RotaError('ROTA-4003', { version: String(value[0]), known: VERSION })
  return value
}

const MOST_VECTOR_BYTES = 1024 ** 3
/** A month: longer than any limit may be. */
const MOST_MS = 30 * 86_400_000
const MOST_SPEED = 1e12
const malformed = () => new RotaError('ROTA-4001', { what: 'canary message' })
const isWhole = (x: unknown, least: number, most: number): x is number => typeof x === 'number' && Number.isSafeInteger(x) && x >= least && x <= most
const is32 = (x: unknown): x is Uint8Array => x instanceof Uint8Array && x.length === 32
export const isErrorCode = (x: unknown): x is string => typeof x === 'string' && /^ROTA-[1-9]\d{3}$/.test(x)
const isText = (x: unknown): x is string => typeof x === 'string' && /^[\x20-\x7e]{0,64}$/.test(x)
