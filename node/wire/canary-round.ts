import { fromHex, toDigest, toHex } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import { type Attempt, attemptNo, type Bitmap, type Digest, type SiteId, type StudyId, siteId, studyId } from '#base/ids.ts'
import { isErrorCode } from './canary.ts'
import { fromCbor, toCbor } from './cbor.ts'

/**
 * One member leads the others through one round over made-up updates, in the chain's place: dag-cbor arrays, one question and one answer a stream.
 *
 *   question  [ version=1, "begin", name (32), study, protocol digest (32), rota [ site … ], patience in ms ]
 *             [ version=1, "step", name (32), step, updates [ [ site, root (32), cid (32) ] … ], included (32, big endian),
 *               words [ [ site, slice word ] … ], [ attempt, publisher, root (32), cid (32) ] or null ]
 *             [ version=1, "end", name (32) ]
 *   answer    [ version=1, error code or null, ms, said [ … ] ]
 *     said    [ "contribute", root (32), cid (32) ]  [ "witness", slice, held (32) ]  [ "word", slice word ]
 *             [ "publish", root (32), cid (32) ]  [ "attest", status, root (32), cid (32) ]
 *
 * An answer is what the member would have said on chain and by gossip. Nothing in it is of a patient: updates are made of the round's name alone.
 * All objects are encrypted under a key made of the name, and lie in a store of their own.
 */
export const CANARY_ROUND_PROTOCOL = '/rota/canary-round/1'
/** Where members fetch the round's objects from each other: real blocks cannot be asked for here, nor these there. */
export const CANARY_BLOCK_PROTOCOL = '/rota/canary-block/1'
const VERSION = 1
/** Three custodians' words on each of 256 slices of 1 GiB take half of it. */
export const CANARY_ROUND_LIMIT_BYTES = 512 * 1024
const MOST_SITES = 256
const MOST_SLICES = 256
export const MOST_PATIENCE_MS = 240_000

/** In their order. */
export const CANARY_STEPS = ['contribute', 'witness', 'tell', 'publish', 'attest'] as const
export type CanaryStep = (typeof CANARY_STEPS)[number]

export type RoundQuestion = BeginQuestion | StepQuestion | EndQuestion
export interface BeginQuestion {
  readonly kind: 'begin'
  /** 32 bytes of chance. */
  readonly name: Digest
  readonly study: StudyId
  readonly protocolDigest: Digest
  /** In the order of turns: the first leads. */
  readonly rota: readonly SiteId[]
  /** How long a custodian waits for updates. */
  readonly patienceMs: number
}
/** What the chain and gossip would show by now. */
export interface StepQuestion {
  readonly kind: 'step'
  readonly name: Digest
  readonly step: CanaryStep
  readonly updates: readonly { readonly site: SiteId; readonly root: Digest; readonly cid: Digest }[]
  readonly included: Bitmap
  /** As wire/slice-word.ts has them. */
  readonly words: readonly { readonly site: SiteId; readonly word: Uint8Array }[]
  readonly publication: { readonly attempt: Attempt; readonly publisher: SiteId; readonly sumRoot: Digest; readonly sumCid: Digest } | null
}
export interface EndQuestion {
  readonly kind: 'end'
  readonly name: Digest
}

/** Same order as contracts/types/Status.sol. */
const STATUSES = ['continue', 'finished', 'refused', 'wrongSum'] as const

export type Said =
  | { readonly kind: 'contribute'; readonly root: Digest; readonly cid: Digest }
  | { readonly kind: 'witness'; readonly slice: number; readonly held: Bitmap }
  | { readonly kind: 'word'; readonly word: Uint8Array }
  | { readonly kind: 'publish'; readonly root: Digest; readonly cid: Digest }
  | { readonly kind: 'attest'; readonly status: (typeof STATUSES)[number]; readonly root: Digest; readonly cid: Digest }

export interface RoundAnswer {
  /** Why the member did not do it. */
  readonly problem: string | null
  readonly ms: number
  readonly said: readonly Said[]
}

export function encodeRoundQuestion(q: RoundQuestion): Uint8Array {
  const head = [VERSION, q.kind, fromHex(q.name)]
  if (q.kind === 'end') return toCbor(head)
  if (q.kind === 'begin') return toCbor([...head, q.study, fromHex(q.protocolDigest), q.rota, q.patienceMs])
  const { publication: p } = q
  return toCbor([
    ...head,
    CANARY_STEPS.indexOf(q.step),
    q.updates.map(({ site, root, cid }) => [site, fromHex(root), fromHex(cid)]),
    setBytes(q.included),
    q.words.map(({ site, word }) => [site, word]),
    p === null ? null : [p.attempt, p.publisher, fromHex(p.sumRoot), fromHex(p.sumCid)],
  ])
}

/** @throws ROTA-4002 too long, ROTA-4003 unknown version, ROTA-4001 anything else */
export function decodeRoundQuestion(bytes: Uint8Array): RoundQuestion {
  const [, kind, name, ...rest] = partsOf(bytes)
  const question = !is32(name) ? null : kind === 'begin' ? begin(toDigest(name), rest) : kind === 'step' ? step(toDigest(name), rest) : null
  if (question !== null) return question
  if (kind === 'end' && is32(name) && rest.length === 0) return { kind, name: toDigest(name) }
  throw malformed()
}

function begin(name: Digest, rest: readonly unknown[]): BeginQuestion | null {
  const [study, digest, rota, patienceMs] = rest
  if (rest.length !== 4 || !isWhole(study, 1, 0xffffffff) || !is32(digest) || !isWhole(patienceMs, 1, MOST_PATIENCE_MS)) return null
  if (!isList(rota, MOST_SITES) || rota.length < 2 || !rota.every(isSite) || new Set(rota).size !== rota.length) return null
  return { kind: 'begin', name, study: studyId(study), protocolDigest: toDigest(digest), rota: rota.map(siteId), patienceMs }
}

function step(name: Digest, rest: readonly unknown[]): StepQuestion | null {
  const [index, updates, included, words, publication] = rest
  const which = CANARY_STEPS[index as number]
  if (rest.length !== 5 || which === undefined || !is32(included) || !isList(updates, MOST_SITES) || !isList(words, 3 * MOST_SLICES)) return null
  if (!updates.every(isUpdate) || !words.every(isWord) || !(publication === null || isPublication(publication))) return null
  return {
    kind: 'step',
    name,
    step: which,
    updates: updates.map(([site, root, cid]) => ({ site: siteId(site), root: toDigest(root), cid: toDigest(cid) })),
    included: setOf(included),
    words: words.map(([site, word]) => ({ site: siteId(site), word })),
    publication: publication === null ? null : publicationOf(publication),
  }
}

function publicationOf([attempt, publisher, root, cid]: [number, number, Uint8Array, Uint8Array]): StepQuestion['publication'] {
  return { attempt: attemptNo(attempt), publisher: siteId(publisher), sumRoot: toDigest(root), sumCid: toDigest(cid) }
}

export const encodeRoundAnswer = ({ problem, ms, said }: RoundAnswer): Uint8Array =>
  toCbor([VERSION, problem, Math.round(ms), said.map((each) => [each.kind, ...fieldsOf(each)])])

function fieldsOf(said: Said): readonly unknown[] {
  if (said.kind === 'word') return [said.word]
  if (said.kind === 'witness') return [said.slice, setBytes(said.held)]
  const names = [fromHex(said.root), fromHex(said.cid)]
  return said.kind === 'attest' ? [STATUSES.indexOf(said.status), ...names] : names
}

/** @throws as `decodeRoundQuestion` */
export function decodeRoundAnswer(bytes: Uint8Array): RoundAnswer {
  const parts = partsOf(bytes)
  const [, problem, ms, said] = parts
  if (parts.length !== 4 || !(problem === null || isErrorCode(problem)) || !isWhole(ms, 0, MOST_MS) || !isList(said, 4 * MOST_SLICES)) throw malformed()
  return { problem, ms, said: said.map(saidOf) }
}

function saidOf(value: unknown): Said {
  const [kind, a, b, c, ...more] = Array.isArray(value) ? (value as unknown[]) : []
  if (more.length > 0) throw malformed()
  if ((kind === 'contribute' || kind === 'publish') && is32(a) && is32(b) && c === undefined) return { kind, root: toDigest(a), cid: toDigest(b) }
  if (kind === 'witness' && isWhole(a, 0, MOST_SLICES - 1) && is32(b) && c === undefined) return { kind, slice: a, held: setOf(b) }
  if (kind === 'word' && a instanceof Uint8Array && b === undefined) return { kind, word: a }
  const status = STATUSES[a as number]
  if (kind === 'attest' && status !== undefined && is32(b) && is32(c)) return { kind, status, root: toDigest(b), cid: toDigest(c) }
  throw malformed()
}

function partsOf(bytes: Uint8Array): readonly unknown[] {
  if (bytes.length > CANARY_ROUND_LIMIT_BYTES) throw new RotaError('ROTA-4002', { size: bytes.length, limit: CANARY_ROUND_LIMIT_BYTES })
  const value = fromCbor(bytes, 'canary round')
  if (!Array.isArray(value) || value.length === 0) throw malformed()
  if (value[0] !== VERSION) throw new RotaError('ROTA-4003', { version: String(value[0]), known: VERSION })
  return value
}

/** A day: longer than any step is waited for. */
const MOST_MS = 86_400_000
const MOST_ATTEMPTS = 8
const malformed = () => new RotaError('ROTA-4001', { what: 'canary round' })
const setBytes = (set: Bitmap): Uint8Array => fromHex(set.toString(16).padStart(64, '0'))
const setOf = (bytes: Uint8Array): Bitmap => BigInt(toHex(bytes)) as Bitmap
const isWhole = (x: unknown, least: number, most: number): x is number => typeof x === 'number' && Number.isSafeInteger(x) && x >= least && x <= most
const is32 = (x: unknown): x is Uint8Array => x instanceof Uint8Array && x.length === 32
const isList = (x: unknown, most: number): x is unknown[] => Array.isArray(x) && x.length <= most
const isSite = (x: unknown): x is number => isWhole(x, 0, MOST_SITES - 1)
const isUpdate = (x: unknown): x is [number, Uint8Array, Uint8Array] => isList(x, 3) && isSite(x[0]) && is32(x[1]) && is32(x[2])
const isWord = (x: unknown): x is [number, Uint8Array] => isList(x, 2) && isSite(x[0]) && x[1] instanceof Uint8Array
const isPublication = (x: unknown): x is [number, number, Uint8Array, Uint8Array] =>
  isList(x, 4) && isWhole(x[0], 0, MOST_ATTEMPTS) && isSite(x[1]) && is32(x[2]) && is32(x[3])
