import type { BlockNetwork } from '#adapters/store/block-network.ts'
import { openRoundStore } from '#app/node/scratch-store.ts'
import { bitmapOf, EMPTY, sitesOf } from '#base/bitmap.ts'
import { fromHex, utf8 } from '#base/bytes.ts'
import { attemptNo, roundNo, ZERO_DIGEST } from '#base/ids.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { ChainEvent, Phase, RoundView, RunView, StudyRecord } from '#ports/chain.ts'
import { isCustodian } from '#round/custody.ts'
import { createMaskingMail } from '#round/masking/mail.ts'
import { createPlay, followUpdates, openRound, type Play, type Round } from '#round/play.ts'
import { attest } from '#round/steps/attest.ts'
import { contribute } from '#round/steps/contribute.ts'
import { publish } from '#round/steps/publish.ts'
import { owesWord, tellSlices } from '#round/steps/tell-slices.ts'
import { heldOf, witness } from '#round/steps/witness.ts'
import { initialModel, type Study } from '#round/study.ts'
import { createWaker, type Waker } from '#round/waker.ts'
import { createWishes } from '#round/wishes.ts'
import { createWords } from '#round/words.ts'
import { type BeginQuestion, CANARY_BLOCK_PROTOCOL, type CanaryStep, type Said, type StepQuestion } from '#wire/canary-round.ts'
import { decodeSliceWord } from '#wire/slice-word.ts'
import { sha256 } from '../sha256.ts'
import type { CanaryParts } from './canary-parts.ts'
import { SCRATCH_RUN, scratchSite } from './canary-scratch.ts'
import { largestLayout, madeUpLearner, madeUpRandom } from './canary-vector.ts'

/** One member's part in a canary's round: the steps of round/steps, over made-up updates. */
export interface CanarySeat {
  /** Does one step, and gives what the site would have said. @throws as the step, and the signal's reason */
  play(question: StepQuestion, signal: AbortSignal): Promise<readonly Said[]>
  /** Deletes all that the round has left here. */
  leave(): Promise<void>
}

const ROUND = roundNo(1)
const PHASES: Readonly<Record<CanaryStep, Phase>> = {
  contribute: 'Contributing',
  witness: 'Witnessing',
  tell: 'Publishing',
  publish: 'Publishing',
  attest: 'Attesting',
}
const LOOK_MS = 250

/** @throws ROTA-1306 when the disk refuses */
export async function takeSeat(parts: CanaryParts, record: StudyRecord, protocol: Protocol, begun: BeginQuestion): Promise<CanarySeat> {
  const scratch = await openRoundStore(parts.state, blocksOf(parts.network))
  let now: StepQuestion = { ...NOTHING, name: begun.name }
  let events: readonly ChainEvent[] = []
  const said: Said[] = []
  const waker = createWaker()
  // Vectors of a masked study are measured without their masks, which cost little beside them.
  const study = madeUpStudy(parts, record, { ...protocol, mode: 'open' }, begun)
  const rounds = new Map([[SCRATCH_RUN, ROUND]])
  const base = initialModel(study, { sha256 }).root
  const view = (): RunView => ({ ...RUN, study: record.id, model: { root: base, cid: ZERO_DIGEST }, round: roundView(begun, protocol.slices, now) })
  const site = scratchSite(parts, {
    store: scratch.store,
    record,
    view,
    contributed: () => events,
    say: (each) => void said.push(each),
    random: madeUpRandom(begun.name, parts.site),
  })
  const play = createPlay(
    site,
    study,
    SCRATCH_RUN,
    { words: createWords(rounds), masking: createMaskingMail(rounds), wishes: createWishes(rounds, parts.clock) },
    waker.wake,
  )

  return {
    async play(question, signal) {
      now = question
      events = question.updates.map(contributedEvent)
      for (const { site: from, word } of question.words) play.words.hear(from, decodeSliceWord(word))
      said.length = 0
      const round = await openRound(play, view(), signal)
      await followUpdates(play, round)
      await doStep(question.step, play, round, { waker, patienceMs: begun.patienceMs }, signal)
      // Announcements are words too, and hints only.
      return said.filter(({ kind }) => kind !== 'word' || question.step === 'tell')
    },
    async leave() {
      play.holdings?.stop()
      await scratch.close()
    },
  }
}

async function doStep(step: CanaryStep, play: Play, round: Round, wait: Wait, signal: AbortSignal): Promise<void> {
  if (step === 'contribute') await contribute(play, round, signal)
  else if (step === 'witness') await witness(play, round, await slicesHeld(play, round, wait, signal))
  else if (step === 'tell' && owesWord(play, round)) await tellSlices(play, round, signal)
  else if (step === 'publish') await publish(play, round, signal)
  else if (step === 'attest') await attest(play, round, signal)
}

interface Wait {
  readonly waker: Waker
  readonly patienceMs: number
}

/** The slices whose custodian this site is, once it holds all of them, or after the patience that was asked for: as `slicesToWitness` of round/next.ts. */
async function slicesHeld(play: Play, round: Round, { waker, patienceMs }: Wait, signal: AbortSignal): Promise<number[]> {
  const { clock } = play.site.host
  const { contributed, witnessed } = round.view.round
  const mine = [...witnessed.keys()].filter((slice) => isCustodian(round.view.round, play.site.id, slice))
  const untilMs = clock.nowMs() + patienceMs
  for (;;) {
    const seen = waker.mark()
    const leftMs = untilMs - clock.nowMs()
    if (leftMs <= 0 || mine.every((slice) => heldOf(play, round, slice) === contributed))
      return mine.filter((slice) => sitesOf(heldOf(play, round, slice)).length > 0)
    await waker.next(seen, clock, Math.min(LOOK_MS, leftMs), signal)
  }
}

/** The study with made-up work in its learner's place, under a key that follows from the round's name. */
function madeUpStudy({ site }: CanaryParts, record: StudyRecord, protocol: Protocol, { name }: BeginQuestion): Study {
  const key = sha256(utf8('rota/canary/key'), fromHex(name))
  return {
    id: record.id,
    // Of made-up updates no row is asked for.
    protocol: { ...protocol, cohort: { ...protocol.cohort, minRows: 0 } },
    learner: madeUpLearner(largestLayout(protocol), name, site),
    keys: { key: async () => key, holds: () => true, renew: async () => false, cutOff: async () => ({ epochs: [], sure: true }) },
    programme: ZERO_DIGEST,
    exact: false,
    record: async () => record,
  }
}

/** Blocks of the round go by a protocol of their own. */
const blocksOf = (network: CanaryParts['network']): BlockNetwork => ({
  connected: () => network.connected(),
  serve: (_, handler) => network.serve(CANARY_BLOCK_PROTOCOL, handler),
  unserve: () => network.unserve(CANARY_BLOCK_PROTOCOL),
  open: (site, _, signal) => network.open(site, CANARY_BLOCK_PROTOCOL, signal),
})

const NOTHING: Omit<StepQuestion, 'name'> = { kind: 'step', step: 'contribute', updates: [], included: EMPTY, words: [], publication: null }
const RUN = { run: SCRATCH_RUN, state: 'Active', closedRounds: 0, voidsInARow: 0, ready: EMPTY } as const
const CUSTODIANS = 3

export const custodianPlaces = (slices: number, sites: number): number[] => new Array<number>(slices).fill(Math.min(CUSTODIANS, sites))

/** What a chain would show at this step: nobody is late, and everybody has all the time. */
export function roundView(
  { rota }: Pick<BeginQuestion, 'rota'>,
  slices: number,
  { step, updates, included, publication }: Omit<StepQuestion, 'name'>,
): RoundView {
  return {
    round: ROUND,
    phase: PHASES[step],
    attempt: publication?.attempt ?? attemptNo(0),
    rota,
    turn: 0,
    openedAtBlock: 0,
    epoch: 0,
    since: { block: 0, timestamp: 0 },
    extended: true,
    awaited: bitmapOf(rota),
    keyed: EMPTY,
    justifying: false,
    justified: EMPTY,
    threshold: 0,
    contributed: bitmapOf(updates.map(({ site }) => site)),
    abstained: EMPTY,
    custodianPlaces: custodianPlaces(slices, rota.length),
    witnessed: new Array<typeof EMPTY>(slices).fill(EMPTY),
    included,
    firstPlace: 0,
    publications: publication === null ? 0 : 1,
    publication,
    attested: EMPTY,
  }
}

const contributedEvent = ({ site, root, cid }: StepQuestion['updates'][number], index: number): ChainEvent => ({
  kind: 'Contributed',
  run: SCRATCH_RUN,
  round: ROUND,
  site,
  root,
  cid,
  cohortRoot: ZERO_DIGEST,
  block: 0,
  index,
  timestamp: 0,
  tx: ZERO_DIGEST,
})
