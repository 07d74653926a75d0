import { askQuestion } from '#adapters/network/questions.ts'
import { FULLEST } from '#adapters/store/disk-use.ts'
import { has } from '#base/bitmap.ts'
import type { ErrorCode } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import type { SiteRecord, StudyRecord } from '#ports/chain.ts'
import type { Hello } from '#ports/peers.ts'
import { CANARY_LIMIT_BYTES, CANARY_PROTOCOL, decodeAnswer, encodeQuestion, type SiteAnswer, type WhyNot } from '#wire/canary.ts'
import { SOFTWARE_VERSION } from '../version.ts'
import { type CanaryParts, type OwnNumbers, ownNumbers } from './canary-parts.ts'
import { failure } from './canary-problem.ts'

/** One member as the canary found it. What was not measured is null. */
export interface CanaryRow {
  readonly site: SiteId
  readonly name: string
  /** The site that asked: it greets nobody here. */
  readonly here: boolean
  /** Its steward approved the study. */
  readonly approved: boolean
  /** What stood in the way of an answer. */
  readonly problem: ErrorCode | null
  readonly route: 'direct' | 'relayed' | null
  /** To this site and back. */
  readonly rttMs: number | null
  /** Its clock minus this site's. */
  readonly clockOffsetMs: number | null
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

/** Greets all members, and asks those that are there for their own numbers: a row each, and one of this site. Who does not answer is a row too. */
export async function askAll(
  parts: CanaryParts,
  others: readonly SiteRecord[],
  record: StudyRecord,
  waitMs: number,
  signal: AbortSignal,
): Promise<readonly CanaryRow[]> {
  const greetings = await Promise.all(others.map(({ id }) => greet(parts, id, waitMs, signal)))
  const asked = others.map(async ({ id }, i) => {
    const greeting = greetings[i] as Greeted
    return 'failed' in greeting ? greeting : askSite(parts, id, record, waitMs, signal)
  })
  const [own, answers] = await Promise.all([ownNumbers(parts, record, signal), Promise.all(asked)])
  const rows = others.map((other, i) => otherRow(other, record, parts.network.route(other.id), greetings[i] as Greeted, answers[i] as Answered))
  return [ownRow(parts, record, own), ...rows].sort((a, b) => a.site - b.site)
}

type Greeted = Hello | { readonly failed: ErrorCode }
type Answered = SiteAnswer | { readonly failed: ErrorCode }

/** A node greets within this time, or is not there. */
const GREET_MS = 8_000

const greet = (parts: CanaryParts, site: SiteId, waitMs: number, signal: AbortSignal): Promise<Greeted> =>
  parts.network.hello(site, limited(Math.min(waitMs, GREET_MS), signal)).catch((error) => failure(error, signal))

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

const ownRow = (parts: CanaryParts, record: StudyRecord, { training, store, arithmetic }: OwnNumbers): CanaryRow => ({
  site: parts.site,
  name: parts.name,
  here: true,
  approved: true,
  problem: null,
  route: null,
  rttMs: null,
  clockOffsetMs: null,
  ...('whyNot' in training
    ? { trainSeconds: null, whyNot: training.whyNot, backend: '' }
    : { trainSeconds: training.p95Seconds, whyNot: '' as const, backend: training.backend }),
  writeBytesPerSecond: store.writeBytesPerSecond,
  readBytesPerSecond: store.readBytesPerSecond,
  diskUsed: store.diskUsed,
  software: SOFTWARE_VERSION,
  sameArithmetic: arithmetic === record.rules.arithmeticVersion,
})

function otherRow({ id, name }: SiteRecord, record: StudyRecord, route: CanaryRow['route'], greeting: Greeted, answer: Answered): CanaryRow {
  const hello = 'failed' in greeting ? null : greeting
  const base = {
    site: id,
    name,
    here: false,
    approved: has(record.approved, id),
    route: hello === null ? null : route,
    rttMs: hello?.rttMs ?? null,
    clockOffsetMs: hello?.clockOffsetMs ?? null,
  }
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
      software: hello?.softwareVersion ?? null,
      sameArithmetic: hello === null ? null : hello.arithmeticVersion === record.rules.arithmeticVersion,
    }
  const { trainSeconds, whyNot, backend, writeBytesPerSecond, readBytesPerSecond, diskUsedPermille, software, arithmetic } = answer
  return {
    ...base,
    problem: null,
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
export const isAble = ({ approved, whyNot, problem, diskUsed, sameArithmetic }: CanaryRow): boolean =>
  approved && (problem !== null || whyNot === '' || whyNot === 'busy' || whyNot === 'noProtocol') && (diskUsed ?? 0) <= FULLEST && sameArithmetic !== false
