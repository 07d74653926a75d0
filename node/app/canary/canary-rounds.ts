import { diskUse, FULLEST } from '#adapters/store/disk-use.ts'
import { has } from '#base/bitmap.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import { type BeginQuestion, MOST_PATIENCE_MS, type RoundAnswer, type RoundQuestion, type Said, type StepQuestion } from '#wire/canary-round.ts'
import { createBudget } from './canary-budget.ts'
import { type CanaryParts, isBusy } from './canary-parts.ts'
import { type CanarySeat, takeSeat } from './canary-seat.ts'

/** The canaries' rounds that this site takes part in: one at a time, whoever leads it. */
export interface CanaryRounds {
  answer(question: RoundQuestion, from: SiteId): Promise<RoundAnswer>
  /** Leaves the round under way. */
  stop(): Promise<void>
}

/** Who leads a round may begin so many in ten minutes: each makes every member move what one real round does. */
const MOST_BEGUN = 12
const BUDGET_MS = 10 * 60_000
/** Who led it is gone: longer than any step of the others may take. */
const FORGOTTEN_MS = MOST_PATIENCE_MS + 60_000

interface Taken {
  readonly name: string
  readonly leader: SiteId
  readonly seat: CanarySeat
  readonly left: AbortController
  /** Steps one after the other. */
  queue: Promise<unknown>
}

export function createCanaryRounds(parts: CanaryParts): CanaryRounds {
  const budget = createBudget<SiteId>(parts.clock, () => MOST_BEGUN, BUDGET_MS)
  let taken: Taken | null = null
  let beginning: Promise<unknown> = Promise.resolve()
  let forget = new AbortController()

  async function leave(): Promise<void> {
    const round = taken
    taken = null
    forget.abort()
    if (round === null) return
    round.left.abort(new RotaError('ROTA-1406'))
    await round.queue.catch(() => undefined)
    await round.seat.leave()
  }

  function remember(): void {
    forget.abort()
    forget = new AbortController()
    parts.clock.sleep(FORGOTTEN_MS, forget.signal).then(leave, () => undefined)
  }

  async function begin(question: BeginQuestion, leader: SiteId): Promise<readonly Said[]> {
    if (taken !== null && taken.leader !== leader) throw new RotaError('ROTA-1406')
    await leave()
    if (!budget.take(leader) || (await isBusy(parts))) throw new RotaError('ROTA-1406')
    const seat = await seatOf(parts, question, leader)
    taken = { name: question.name, leader, seat, left: new AbortController(), queue: Promise.resolve() }
    remember()
    return []
  }

  async function play(question: StepQuestion, leader: SiteId): Promise<readonly Said[]> {
    const round = taken
    if (round === null || round.name !== question.name || round.leader !== leader) throw new RotaError('ROTA-1406')
    // A round on chain goes first.
    if (await isBusy(parts)) {
      await leave()
      throw new RotaError('ROTA-1406')
    }
    remember()
    const signal = AbortSignal.any([round.left.signal, AbortSignal.timeout(FORGOTTEN_MS)])
    const step = round.queue.then(() => round.seat.play(question, signal))
    round.queue = step.catch(() => undefined)
    return step.finally(() => taken === round && remember())
  }

  async function answered(question: RoundQuestion, from: SiteId): Promise<readonly Said[]> {
    if (question.kind === 'step') return play(question, from)
    if (question.kind === 'begin') {
      const begun = beginning.then(() => begin(question, from))
      beginning = begun.catch(() => undefined)
      return begun
    }
    if (taken?.name === question.name && taken.leader === from) await leave()
    return []
  }

  return {
    async answer(question, from) {
      const startedMs = performance.now()
      const ms = () => performance.now() - startedMs
      try {
        return { problem: null, said: await answered(question, from), ms: ms() }
      } catch (error) {
        if (isRotaError(error)) return { problem: error.code, said: [], ms: ms() }
        if (error instanceof Error && error.name === 'TimeoutError') return { problem: 'ROTA-4006', said: [], ms: ms() }
        throw error
      }
    },
    stop: leave,
  }
}

/** Only for a study that both stewards approved, as this site knows it. @throws ROTA-1404, 1207, 5513 the disk, 1306 */
async function seatOf(parts: CanaryParts, question: BeginQuestion, leader: SiteId): Promise<CanarySeat> {
  const record = await parts.chain.study(question.study)
  const { rota, protocolDigest } = question
  const approved = [parts.site, leader, ...rota].every((site) => has(record.approved, site))
  if (!approved || !rota.includes(parts.site) || record.protocolDigest !== protocolDigest) throw new RotaError('ROTA-1404', { study: question.study })
  const protocol = await parts.protocol(record, AbortSignal.timeout(question.patienceMs))
  if ((await diskUse(parts.storeDir)).usedFraction > FULLEST) throw new RotaError('ROTA-5513')
  return takeSeat(parts, record, protocol, question)
}
