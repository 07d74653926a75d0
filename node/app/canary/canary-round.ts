import { bitmapOf, EMPTY, has, sitesOf } from '#base/bitmap.ts'
import { isRotaError } from '#base/errors.ts'
import { attemptNo, type Bitmap, type Digest, type SiteId } from '#base/ids.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { StudyRecord } from '#ports/chain.ts'
import { custodiansOf } from '#round/custody.ts'
import type { CanaryStep, RoundAnswer, RoundQuestion, Said, StepQuestion } from '#wire/canary-round.ts'
import { roundView } from './canary-seat.ts'
import { knownRoots, largestLayout } from './canary-vector.ts'

/** A member that takes part: how it is asked. Rejects when it does not answer. */
export interface Seated {
  readonly site: SiteId
  ask(question: RoundQuestion, signal: AbortSignal): Promise<RoundAnswer>
}

/** How long a step took until all had done it, and each site by its own clock. */
export interface PlayedStep {
  readonly step: CanaryStep
  readonly seconds: number
  readonly sites: readonly { readonly site: SiteId; readonly seconds: number }[]
}

/** What a canary's round came to. */
export interface PlayedRound {
  /** In the order of turns: the first led. */
  readonly rota: readonly SiteId[]
  /** Whose updates were added up. */
  readonly included: readonly SiteId[]
  /** More than half of these attested the same. */
  readonly closed: boolean
  readonly steps: readonly PlayedStep[]
  /** Sites that did not do a step, and why. */
  readonly faults: readonly { readonly site: SiteId; readonly step: CanaryStep | 'begin'; readonly code: string }[]
  /** Sites whose sum, or whose word on a sum, was not what it must be: the sum of made-up updates is known. */
  readonly wrong: readonly { readonly site: SiteId; readonly what: 'sum' | 'attestation' }[]
}

export interface RoundSetup {
  readonly name: Digest
  readonly record: StudyRecord
  readonly protocol: Protocol
  readonly patienceMs: number
}

/** Of how many places a publication is asked before the round counts as void. */
const MOST_TURNS = 3

type State = Omit<StepQuestion, 'kind' | 'name' | 'step'>
type SaidBy<K extends Said['kind']> = Extract<Said, { kind: K }> & { readonly site: SiteId }

/**
 * Plays one round over made-up updates in the chain's place, by its rules: who contributed is named to all, what two custodians of each slice hold is
 * frozen, the first in turn publishes, else the next, and all of the frozen set attest.
 * @param seated in the order of turns
 */
export async function playRound(seated: readonly Seated[], setup: RoundSetup, signal: AbortSignal, onStep: (text: string) => void): Promise<PlayedRound> {
  const table = new Table(seated, setup, signal)
  try {
    await table.begin()
    onStep('the round: contribute')
    const updates = (await table.all('contribute', NOTHING)).of('contribute').map(({ site, root, cid }) => ({ site, root, cid }))
    onStep('the round: witness')
    const witnessed = (await table.all('witness', { ...NOTHING, updates })).of('witness')
    const included = frozen(table.rota, setup.protocol.slices, updates, witnessed)
    const state = { ...NOTHING, updates, included }
    if (included === EMPTY) return table.result(included, false, [])
    onStep('the round: add up')
    const words = (await table.all('tell', state)).of('word').map(({ site, word }) => ({ site, word }))
    onStep('the round: publish and attest')
    const { closed, attempts } = await publishUntilClosed(table, { ...state, words })
    return table.result(included, closed, attempts)
  } finally {
    await table.end()
  }
}

const NOTHING: State = { updates: [], included: EMPTY, words: [], publication: null }

/** One publication and what was said of it. */
interface AttemptMade {
  readonly publisher: SiteId
  readonly root: Digest
  readonly attested: readonly SaidBy<'attest'>[]
}

async function publishUntilClosed(table: Table, state: State): Promise<{ closed: boolean; attempts: readonly AttemptMade[] }> {
  const attempts: AttemptMade[] = []
  for (const publisher of table.rota.slice(0, MOST_TURNS)) {
    const [published] = (await table.all('publish', state, (site) => site === publisher)).of('publish')
    if (published === undefined) continue
    const publication = { attempt: attemptNo(attempts.length), publisher, sumRoot: published.root, sumCid: published.cid }
    const attested = (await table.all('attest', { ...state, publication }, (site) => has(state.included, site))).of('attest')
    attempts.push({ publisher, root: published.root, attested })
    const same = Map.groupBy(attested, ({ status, root, cid }) => `${status} ${root} ${cid}`)
    const majority = [...same.values()].find((group) => 2 * group.length > sitesOf(state.included).length)
    if (majority?.[0]?.status === 'finished') return { closed: true, attempts }
  }
  return { closed: false, attempts }
}

/** An update is in when, in every slice, two custodians hold it. */
function frozen(rota: readonly SiteId[], slices: number, updates: State['updates'], witnessed: readonly SaidBy<'witness'>[]): Bitmap {
  const view = roundView({ rota }, slices, { ...NOTHING, kind: 'step', step: 'witness', updates })
  const least = Math.min(2, rota.length)
  const isHeld = (site: SiteId): boolean =>
    view.custodianPlaces.every((_, slice) => {
      const custodians = custodiansOf(view, slice)
      return witnessed.filter((w) => w.slice === slice && custodians.includes(w.site) && has(w.held, site)).length >= least
    })
  return bitmapOf(updates.map(({ site }) => site).filter(isHeld))
}

class Table {
  readonly rota: readonly SiteId[]
  readonly #setup: RoundSetup
  readonly #signal: AbortSignal
  readonly #invited: readonly Seated[]
  #seated: readonly Seated[] = []
  readonly #faults: PlayedRound['faults'][number][] = []
  readonly #steps = new Map<CanaryStep, PlayedStep>()

  constructor(invited: readonly Seated[], setup: RoundSetup, signal: AbortSignal) {
    this.#invited = invited
    this.#setup = setup
    this.#signal = signal
    this.rota = invited.map(({ site }) => site)
  }

  async begin(): Promise<void> {
    const { name, record, patienceMs } = this.#setup
    const question: RoundQuestion = { kind: 'begin', name, study: record.id, protocolDigest: record.protocolDigest, rota: this.rota, patienceMs }
    const answers = await Promise.all(this.#invited.map((seat) => this.#ask(seat, 'begin', question)))
    this.#seated = this.#invited.filter((_, i) => answers[i] !== null)
  }

  /** All who sit at the table, or those of them that `who` names, at once. */
  async all(step: CanaryStep, state: State, who: (site: SiteId) => boolean = () => true): Promise<Answers> {
    const startedMs = performance.now()
    const asked = this.#seated.filter(({ site }) => who(site))
    const answers = await Promise.all(asked.map((seat) => this.#ask(seat, step, { kind: 'step', name: this.#setup.name, step, ...state })))
    const done = asked.flatMap(({ site }, i) => (answers[i] === null || answers[i] === undefined ? [] : [{ site, ...answers[i] }]))
    const seconds = (performance.now() - startedMs) / 1000
    this.#steps.set(step, { step, seconds, sites: done.map(({ site, ms }) => ({ site, seconds: ms / 1000 })) })
    const said = done.flatMap(({ site, said: all }) => all.map((each) => ({ ...each, site })))
    return { of: (kind) => said.filter((each) => each.kind === kind) as never }
  }

  async end(): Promise<void> {
    const question: RoundQuestion = { kind: 'end', name: this.#setup.name }
    await Promise.all(this.#invited.map((seat) => seat.ask(question, AbortSignal.timeout(END_MS)).catch(() => undefined)))
  }

  result(included: Bitmap, closed: boolean, attempts: readonly AttemptMade[]): PlayedRound {
    const sites = sitesOf(included)
    const wrong = attempts.length === 0 ? [] : wrongIn(attempts, knownRoots(largestLayout(this.#setup.protocol), this.#setup.name, sites))
    return { rota: this.rota, included: sites, closed, steps: [...this.#steps.values()], faults: this.#faults, wrong }
  }

  async #ask(seat: Seated, step: CanaryStep | 'begin', question: RoundQuestion): Promise<RoundAnswer | null> {
    const { site } = seat
    const limit = AbortSignal.timeout(this.#setup.patienceMs + MARGIN_MS)
    const answer = await seat.ask(question, AbortSignal.any([this.#signal, limit])).catch((error) => {
      this.#signal.throwIfAborted()
      return { problem: isRotaError(error) ? error.code : 'ROTA-4006', ms: 0, said: [] }
    })
    if (answer.problem === null) return answer
    this.#faults.push({ site, step, code: answer.problem })
    return null
  }
}

interface Answers {
  of<K extends Said['kind']>(kind: K): readonly SaidBy<K>[]
}

const END_MS = 5_000
/** A custodian that waited as long as it may still says what it holds. */
const MARGIN_MS = 2_000

function wrongIn(attempts: readonly AttemptMade[], known: { readonly sum: Digest; readonly model: Digest }): PlayedRound['wrong'] {
  return attempts.flatMap(({ publisher, root, attested }) => {
    const isRight = root === known.sum
    const misled = attested.filter((said) => (isRight ? said.status !== 'finished' || said.root !== known.model : said.status !== 'wrongSum'))
    return [...(isRight ? [] : [{ site: publisher, what: 'sum' as const }]), ...misled.map(({ site }) => ({ site, what: 'attestation' as const }))]
  })
}
