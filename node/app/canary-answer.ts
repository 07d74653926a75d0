import { serveQuestions } from '#adapters/network/questions.ts'
import { offerProbe, type Probe, pullProbe } from '#adapters/store/link-probe.ts'
import { isRotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import {
  CANARY_LIMIT_BYTES,
  CANARY_PROTOCOL,
  decodeQuestion,
  encodeAnswer,
  type LinkAnswer,
  type LinkQuestion,
  type SiteAnswer,
  type SiteQuestion,
} from '#wire/canary.ts'
import { arithmeticVersion } from './arithmetic-version.ts'
import { coarseSeconds } from './canary-limits.ts'
import { probeBytes } from './canary-link.ts'
import { type CanaryParts, ownNumbers } from './canary-parts.ts'
import { SOFTWARE_VERSION } from './version.ts'

/** Several members may ask within a minute: the training is measured once. */
const FRESH_MS = 60_000
const MOST_KNOWN = 64
const LINK_MS = 60_000
/** The training of one study may take minutes; a node that stops ends it. */
const SITE_MS = 10 * 60_000

export interface CanaryDesk {
  stop(): Promise<void>
}

/** Answers other members' canaries from now on: the way between them and here, and this site's own numbers. Never rows, counts or weights. */
export async function serveCanary(parts: CanaryParts): Promise<CanaryDesk> {
  const ended = new AbortController()
  const offered = offers(parts, ended.signal)
  const known = new Map<string, { readonly atMs: number; readonly answer: Promise<SiteAnswer> }>()
  /** One at a time: two trainings at once would measure each other. */
  let queue: Promise<unknown> = Promise.resolve()

  const siteAnswer = (question: SiteQuestion): Promise<SiteAnswer> => {
    const key = `${question.study} ${question.protocolDigest}`
    const before = known.get(key)
    if (before !== undefined && parts.clock.nowMs() - before.atMs < FRESH_MS) return before.answer
    const measure = () => answerSite(parts, question, AbortSignal.any([ended.signal, AbortSignal.timeout(SITE_MS)]))
    const answer = queue.then(measure)
    queue = answer.catch(() => undefined)
    if (known.size >= MOST_KNOWN) known.clear()
    known.set(key, { atMs: parts.clock.nowMs(), answer })
    answer.catch(() => known.delete(key))
    return answer
  }

  await serveQuestions(parts.network, CANARY_PROTOCOL, CANARY_LIMIT_BYTES, async (bytes, from) => {
    const question = decodeQuestion(bytes)
    return encodeAnswer(
      question.kind === 'site' ? await siteAnswer(question) : await answerLink(parts, question, from, await offered.probe(question.bytes), ended.signal),
    )
  })
  return {
    async stop() {
      ended.abort()
      await parts.network.unserve(CANARY_PROTOCOL)
      await offered.drop()
    },
  }
}

/** A small and a large block of chance for all who ask, each made when the first does. */
function offers(parts: CanaryParts, signal: AbortSignal): { probe(bytes: number): Promise<Probe>; drop(): Promise<void> } {
  const made = new Map<number, Promise<Probe>>()
  return {
    probe(asked) {
      const size = probeBytes(asked)
      const known = made.get(size) ?? offerProbe(parts.store, parts.random.bytes(size), signal)
      made.set(size, known)
      known.catch(() => made.delete(size))
      return known
    },
    async drop() {
      for (const probe of made.values()) await (await probe.catch(() => null))?.drop().catch(() => undefined)
    },
  }
}

async function answerLink(parts: CanaryParts, question: LinkQuestion, from: SiteId, { digest, bytes }: Probe, signal: AbortSignal): Promise<LinkAnswer> {
  const asked = { digest: question.probe, bytes: question.bytes }
  const ms = await pullProbe(parts.network, from, asked, question.times, AbortSignal.any([signal, AbortSignal.timeout(LINK_MS)])).catch((error) => {
    if (isRotaError(error) || signal.aborted) return null
    throw error
  })
  return { kind: 'link', ms, probe: digest, bytes }
}

/** Measures only for the protocol that this site knows: asking with others costs it nothing. */
async function answerSite(parts: CanaryParts, question: SiteQuestion, signal: AbortSignal): Promise<SiteAnswer> {
  const record = await parts.chain.study(question.study)
  const build = { software: SOFTWARE_VERSION, arithmetic: await arithmeticVersion() }
  if (record.protocolDigest !== question.protocolDigest)
    return {
      kind: 'site',
      ...build,
      trainSeconds: null,
      whyNot: 'otherProtocol',
      backend: '',
      writeBytesPerSecond: 0,
      readBytesPerSecond: 0,
      diskUsedPermille: 0,
    }
  const { training, store } = await ownNumbers(parts, record, signal)
  return {
    kind: 'site',
    ...build,
    ...('whyNot' in training
      ? { trainSeconds: null, whyNot: training.whyNot, backend: '' }
      : { trainSeconds: coarseSeconds(training.p95Seconds), whyNot: '', backend: training.backend }),
    writeBytesPerSecond: store.writeBytesPerSecond,
    readBytesPerSecond: store.readBytesPerSecond,
    diskUsedPermille: Math.min(1000, Math.max(0, Math.round(1000 * store.diskUsed))),
  }
}
