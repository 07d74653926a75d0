import { serveQuestions } from '#adapters/network/questions.ts'
import { offerProbe, type Probe, pullProbe } from '#adapters/store/link-probe.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import {
  CANARY_LIMIT_BYTES,
  CANARY_PROTOCOL,
  type CanaryAnswer,
  type CanaryQuestion,
  decodeQuestion,
  encodeAnswer,
  type LinkAnswer,
  type LinkQuestion,
  type SiteAnswer,
  type SiteQuestion,
  type WayAnswer,
  type WayQuestion,
} from '#wire/canary.ts'
import { CANARY_ROUND_LIMIT_BYTES, CANARY_ROUND_PROTOCOL, decodeRoundQuestion, encodeRoundAnswer } from '#wire/canary-round.ts'
import { arithmeticVersion } from '../arithmetic-version.ts'
import { SOFTWARE_VERSION } from '../version.ts'
import { createBudget } from './canary-budget.ts'
import { createFresh } from './canary-fresh.ts'
import { coarseSeconds } from './canary-limits.ts'
import { measureLink, probeBytes } from './canary-link.ts'
import { type CanaryParts, ownNumbers } from './canary-parts.ts'
import { failure } from './canary-problem.ts'
import type { CanaryRounds } from './canary-rounds.ts'
import { WAY_MS } from './canary-ways.ts'

/** The training of one study may take minutes; a node that stops ends it. */
const SITE_MS = 10 * 60_000
const BUDGET_MS = 10 * 60_000
/** In ten minutes a member may have so many blocks of its own fetched here, for each member there is: a canary asks for two. */
const LINKS_A_MEMBER = 16
/** And all of them together may have each way from here measured so often. */
const WAYS_A_MEMBER = 4

export interface CanaryDesk {
  stop(): Promise<void>
}

/**
 * Answers other members' canaries from now on: the ways from here, this site's own numbers, and its part in their rounds. Never rows, counts or weights.
 * A stranger's stream ends unread; who a member is, the connection's key says. What one question makes this site move is bounded in bytes and time, and
 * how often, in ten minutes.
 */
export async function serveCanary(parts: CanaryParts, rounds: CanaryRounds): Promise<CanaryDesk> {
  const ended = new AbortController()
  const offered = offers(parts, ended.signal)
  const until = (ms: number): AbortSignal => AbortSignal.any([ended.signal, AbortSignal.timeout(ms)])
  const members = async (): Promise<number> => (await parts.chain.sites()).filter(({ state }) => state === 'Active').length
  let count = await members()
  const links = createBudget<SiteId>(parts.clock, () => LINKS_A_MEMBER * count, BUDGET_MS)
  const wayBudget = createBudget<'all'>(parts.clock, () => WAYS_A_MEMBER * count, BUDGET_MS)
  const trainings = createFresh<SiteAnswer>(parts.clock)
  const ways = createFresh<WayAnswer>(parts.clock, ({ problem }) => problem === null)

  async function way({ site, bytes }: WayQuestion): Promise<WayAnswer> {
    if (!wayBudget.take('all')) return { kind: 'way', problem: 'ROTA-1406' }
    const signal = until(WAY_MS)
    return measureLink(parts, site, await offered.probe(bytes), bytes, signal).catch((error) => ({ kind: 'way', problem: failure(error, ended.signal).failed }))
  }

  async function answer(question: CanaryQuestion, from: SiteId): Promise<CanaryAnswer> {
    count = await members()
    if (question.kind === 'site') return trainings.get(`${question.study} ${question.protocolDigest}`, () => answerSite(parts, question, until(SITE_MS)))
    if (question.kind === 'way') return ways.get(`${question.site} ${probeBytes(question.bytes)}`, () => way(question))
    if (!links.take(from)) throw new RotaError('ROTA-1406')
    return answerLink(parts, question, from, await offered.probe(question.bytes), until(WAY_MS))
  }

  await serveQuestions(parts.network, CANARY_PROTOCOL, CANARY_LIMIT_BYTES, async (bytes, from) => encodeAnswer(await answer(decodeQuestion(bytes), from)))
  await serveQuestions(parts.network, CANARY_ROUND_PROTOCOL, CANARY_ROUND_LIMIT_BYTES, async (bytes, from) =>
    encodeRoundAnswer(await rounds.answer(decodeRoundQuestion(bytes), from)),
  )
  return {
    async stop() {
      ended.abort()
      await parts.network.unserve(CANARY_ROUND_PROTOCOL)
      await parts.network.unserve(CANARY_PROTOCOL)
      await rounds.stop()
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
  const ms = await pullProbe(parts.network, from, asked, question.times, signal).catch((error) => {
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
