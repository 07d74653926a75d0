import { askQuestion } from '#adapters/network/questions.ts'
import { FULLEST } from '#adapters/store/disk-use.ts'
import { offerProbe } from '#adapters/store/link-probe.ts'
import { has } from '#base/bitmap.ts'
import { type ErrorCode, isRotaError, RotaError } from '#base/errors.ts'
import type { Digest, SiteId, StudyId } from '#base/ids.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { SiteRecord, StudyRecord } from '#ports/chain.ts'
import { CANARY_LIMIT_BYTES, CANARY_PROTOCOL, decodeAnswer, encodeQuestion, type SiteAnswer, type WhyNot } from '#wire/canary.ts'
import { type PhaseLimit, phaseLimits } from './canary-limits.ts'
import { type Link, measureLink, probeBytes } from './canary-link.ts'
import { type CanaryParts, type OwnNumbers, ownNumbers } from './canary-parts.ts'
import { largestVector, measureAdding } from './canary-training.ts'
import { SOFTWARE_VERSION } from './version.ts'

/** One member as the canary found it. What was not measured is null. */
export interface CanaryRow {
  readonly site: SiteId
  readonly name: string
  /** The site that asked: its own link is none. */
  readonly here: boolean
  /** Its steward approved the study. */
  readonly approved: boolean
  /** What stood in the way of an answer. */
  readonly problem: ErrorCode | null
  readonly link: Link | null
  /** Exact here, rounded up elsewhere. */
  readonly trainSeconds: number | null
  /** Why it could not say how long its training takes; '' when it did. */
  readonly whyNot: WhyNot
  readonly backend: string
  readonly writeBytesPerSecond: number | null
  readonly readBytesPerSecond: number | null
  /** 0 to 1. */
  readonly diskUsed: number | null
  readonly software: string | null
  /** Its golden outputs are those that the study was made with. */
  readonly sameArithmetic: boolean | null
}

export interface CanaryReport {
  readonly study: StudyId
  readonly protocolDigest: Digest
  /** Milliseconds since the epoch, by this site's clock. */
  readonly atMs: number
  readonly vectorBytes: number
  readonly blockSeconds: number | null
  readonly rows: readonly CanaryRow[]
  readonly limits: readonly PhaseLimit[]
  /** Approved members that gave no answer. */
  readonly unanswered: readonly string[]
  /** Sites that a run needs, and those that could take part for all that is known. */
  readonly minSites: number
  readonly able: number
}

export interface CanaryCall {
  readonly study: StudyId
  /** How long an answer may take: a training of minutes is measured meanwhile. */
  readonly waitMs: number
}

/**
 * One round's work with a synthetic update of the study's size, measured at every member: the way to it, its store, its build, and its own training
 * on its own rows. Sites that do not answer are rows too.
 * @throws ROTA-1404 this site did not approve the study, 1207 its protocol is not here, 53xx no such study
 */
export async function runCanary(parts: CanaryParts, call: CanaryCall, signal: AbortSignal, onStep: (text: string) => void = () => {}): Promise<CanaryReport> {
  const record = await parts.chain.study(call.study)
  if (!has(record.approved, parts.site)) throw new RotaError('ROTA-1404', { study: call.study })
  const protocol = await parts.protocol(record, signal)
  const vectorBytes = largestVector(protocol)
  const members = (await parts.chain.sites()).filter(({ state }) => state === 'Active')
  const others = members.filter(({ id }) => id !== parts.site)

  const links = await measureLinks(parts, others, vectorBytes, call, signal, onStep)
  onStep('every site trains on its own rows')
  const [own, ...answers] = await Promise.all([
    ownNumbers(parts, record, signal),
    ...others.map((other) => askSite(parts, other.id, record, call.waitMs, signal)),
  ])
  const rows = [ownRow(parts, record, own), ...others.map((other, i) => otherRow(other, record, links.get(other.id), answers[i] as Answered))].sort(
    (a, b) => a.site - b.site,
  )
  const blockSeconds = await meanBlockSeconds(parts)
  return {
    study: record.id,
    protocolDigest: record.protocolDigest,
    atMs: parts.clock.nowMs(),
    vectorBytes,
    blockSeconds,
    rows,
    limits: limitsOf(rows, { vectorBytes, blockSeconds, addBytesPerSecond: measureAdding(parts.random) }, protocol),
    unanswered: rows.filter(({ approved, here, problem, whyNot }) => approved && !here && problem !== null && whyNot === 'failed').map(({ name }) => name),
    minSites: protocol.minSites,
    able: rows.filter(isAble).length,
  }
}

type Answered = SiteAnswer | { readonly failed: ErrorCode }
type LinkFound = Awaited<ReturnType<typeof measureLink>>

async function measureLinks(
  parts: CanaryParts,
  others: readonly SiteRecord[],
  vectorBytes: number,
  { waitMs }: CanaryCall,
  signal: AbortSignal,
  onStep: (text: string) => void,
): Promise<ReadonlyMap<SiteId, LinkFound>> {
  const probe = await offerProbe(parts.store, parts.random.bytes(probeBytes(vectorBytes)), signal)
  const links = new Map<SiteId, LinkFound>()
  try {
    for (const { id, name } of others) {
      onStep(`the way to ${name}`)
      const bounded = limited(waitMs, signal)
      links.set(id, await measureLink(parts, id, probe, vectorBytes, bounded).catch((error) => failure(error, signal)))
    }
  } finally {
    await probe.drop()
  }
  return links
}

async function askSite(parts: CanaryParts, site: SiteId, record: StudyRecord, waitMs: number, signal: AbortSignal): Promise<Answered> {
  const question = encodeQuestion({ kind: 'site', study: record.id, protocolDigest: record.protocolDigest })
  try {
    const answer = decodeAnswer(await askQuestion(parts.network, site, CANARY_PROTOCOL, CANARY_LIMIT_BYTES, question, limited(waitMs, signal)))
    return answer.kind === 'site' ? answer : { failed: 'ROTA-4001' }
  } catch (error) {
    return failure(error, signal)
  }
}

const limited = (ms: number, signal: AbortSignal): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(ms)])

/** Nobody answered in time: the same as nobody there. */
function failure(error: unknown, signal: AbortSignal): { readonly failed: ErrorCode } {
  signal.throwIfAborted()
  if (isRotaError(error)) return { failed: error.code }
  if (error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError')) return { failed: 'ROTA-4006' }
  throw error
}

const ownRow = (parts: CanaryParts, record: StudyRecord, { training, store, arithmetic }: OwnNumbers): CanaryRow => ({
  site: parts.site,
  name: parts.name,
  here: true,
  approved: true,
  problem: null,
  link: null,
  ...('whyNot' in training
    ? { trainSeconds: null, whyNot: training.whyNot, backend: '' }
    : { trainSeconds: training.p95Seconds, whyNot: '' as const, backend: training.backend }),
  writeBytesPerSecond: store.writeBytesPerSecond,
  readBytesPerSecond: store.readBytesPerSecond,
  diskUsed: store.diskUsed,
  software: SOFTWARE_VERSION,
  sameArithmetic: arithmetic === record.rules.arithmeticVersion,
})

function otherRow({ id, name }: SiteRecord, record: StudyRecord, link: LinkFound | undefined, answer: Answered): CanaryRow {
  const reached = link !== undefined && !('failed' in link) ? link : null
  const base = { site: id, name, here: false, approved: has(record.approved, id), link: reached }
  if ('failed' in answer)
    return {
      ...base,
      problem: answer.failed,
      trainSeconds: null,
      whyNot: 'failed',
      backend: '',
      writeBytesPerSecond: null,
      readBytesPerSecond: null,
      diskUsed: null,
      software: reached?.software ?? null,
      sameArithmetic: reached === null ? null : reached.arithmetic === record.rules.arithmeticVersion,
    }
  const { trainSeconds, whyNot, backend, writeBytesPerSecond, readBytesPerSecond, diskUsedPermille, software, arithmetic } = answer
  return {
    ...base,
    problem: link !== undefined && 'failed' in link ? link.failed : null,
    trainSeconds,
    whyNot,
    backend,
    writeBytesPerSecond,
    readBytesPerSecond,
    diskUsed: diskUsedPermille / 1000,
    software,
    sameArithmetic: arithmetic === record.rules.arithmeticVersion,
  }
}

/** Nothing that is known keeps it from contributing and attesting. Who did not answer may be there tomorrow. */
const isAble = ({ approved, whyNot, problem, diskUsed, sameArithmetic }: CanaryRow): boolean =>
  approved && (problem !== null || whyNot === '' || whyNot === 'busy' || whyNot === 'noProtocol') && (diskUsed ?? 0) <= FULLEST && sameArithmetic !== false

function limitsOf(
  rows: readonly CanaryRow[],
  measured: { readonly vectorBytes: number; readonly blockSeconds: number | null; readonly addBytesPerSecond: number },
  protocol: Protocol,
): readonly PhaseLimit[] {
  const sites = rows
    .filter(({ approved }) => approved)
    .map(({ name, trainSeconds, link, readBytesPerSecond, writeBytesPerSecond }) => ({
      name,
      trainSeconds,
      linkBytesPerSecond: link === null ? null : Math.min(link.downBytesPerSecond, link.upBytesPerSecond),
      rttMs: link?.rttMs ?? null,
      storeBytesPerSecond: readBytesPerSecond === null || writeBytesPerSecond === null ? null : Math.min(readBytesPerSecond, writeBytesPerSecond),
    }))
  return phaseLimits({ sites, ...measured }, protocol)
}

const LAST_EVENTS = 20

/** From the newest events; null before there are two blocks with any, or where blocks come with calls. */
async function meanBlockSeconds({ chain }: CanaryParts): Promise<number | null> {
  const events = (await chain.events(0)).slice(-LAST_EVENTS)
  const [first, last] = [events[0], events.at(-1)]
  if (first === undefined || last === undefined || last.block === first.block) return null
  const mean = (last.timestamp - first.timestamp) / (last.block - first.block)
  return mean >= 1 && mean <= 60 ? mean : null
}
