import { drawChaos, drawMasked, foundersOf, mostFaulty } from '#adapters/sim/draw-faults.ts'
import { borneInGroups, drawInGroups } from '#adapters/sim/draw-group-faults.ts'
import type { FaultPlan } from '#adapters/sim/faults.ts'
import { SimRandom } from '#adapters/sim/random.ts'
import { rulesOf } from '#app/protocol/study-rules.ts'
import { FEWEST_IN_ROUND, FEWEST_IN_STUDY } from '#core/masking/drawn-groups.ts'
import { FEWEST_MASKED, thresholdOf } from '#core/masking/threshold.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { StudyRules } from '#ports/chain.ts'
import { type ChaosStudy, CONTRIBUTING_S, chaosStudy, ROUNDS, type StudyKind } from './chaos-study.ts'
import type { Draw } from './record.ts'

const FEWEST_SITES = 4
const MOST_SITES = 9

/** What is given, in place of what the seed would draw. */
export interface Given {
  readonly plan?: FaultPlan
  readonly kind?: StudyKind
  readonly slices?: number
  /** Default: open. The seed draws other faults then. */
  readonly mode?: Protocol['mode']
  /** An auditor looks at what is left; always of studies in groups. */
  readonly audited?: boolean
}

/** A seed decides everything but what is given; `sites` fixes how many there are. */
export async function drawSeed(seed: number, sites?: number, given: Given = {}): Promise<{ readonly draw: Draw; readonly study: ChaosStudy }> {
  if (given.mode === 'masked') return drawMaskedSeed(seed, sites, given)
  if (given.mode === 'groups') return drawGroupsSeed(seed, sites, given)
  const random = new SimRandom(`chaos ${seed}`)
  const count = sites ?? random.int(FEWEST_SITES, MOST_SITES)
  const drawn = drawKind(random)
  const kind = given.kind ?? drawn
  const faults = drawChaos(random, { sites: count, rounds: ROUNDS - 1, contributingMs: 1_000 * CONTRIBUTING_S, large: kind === 'large' })
  const plan = given.plan ?? faults
  const founders = foundersOf(count, plan.joining)
  const majority = founders - mostFaulty(founders)
  // Where some lie, a set in which they are more than half must not do.
  const quorum = plan.lies.length > 0 ? majority : random.int(2, majority)
  const drawnSlices = random.chance(SLICED[kind]) ? random.int(2, count) : 1
  const slices = given.slices ?? Math.min(drawnSlices, founders)
  const { study, rules } = await studyOf(kind, count, quorum, slices)
  return { draw: { seed, sites: count, study: kind, rules, plan, isInGroups: false }, study }
}

/** One may leave, and the others are as many as a masked study has at least. */
const FEWEST_MASKED_SITES = 6

async function drawMaskedSeed(seed: number, sites: number | undefined, given: Given): Promise<{ readonly draw: Draw; readonly study: ChaosStudy }> {
  const random = new SimRandom(`masked chaos ${seed}`)
  const fewest = given.plan === undefined ? FEWEST_MASKED_SITES : FEWEST_MASKED
  const count = Math.max(fewest, sites ?? random.int(FEWEST_MASKED_SITES, MOST_SITES))
  const drawn = drawKind(random)
  const kind = given.kind ?? drawn
  const faults = drawChaos(random, { sites: count, rounds: ROUNDS - 1, contributingMs: 1_000 * CONTRIBUTING_S, large: kind === 'large' })
  const founders = foundersOf(count, faults.joining)
  const plan = given.plan ?? drawMasked(random, faults, count, founders - thresholdOf(founders))
  const drawnSlices = random.chance(SLICED[kind]) ? random.int(2, FEWEST_MASKED) : 1
  const { study, rules } = await studyOf(kind, count, thresholdOf(FEWEST_MASKED), given.slices ?? drawnSlices, 'masked')
  return { draw: { seed, sites: count, study: kind, rules, plan, isInGroups: false }, study }
}

/** One may leave, or join later. */
const FEWEST_GROUPED_SITES = FEWEST_IN_STUDY + 1
/** Of eighteen each group has six, so that two may be away wherever they are; more sites only cost more time. */
const MOST_GROUPED_SITES = 18

async function drawGroupsSeed(seed: number, sites: number | undefined, given: Given): Promise<{ readonly draw: Draw; readonly study: ChaosStudy }> {
  const random = new SimRandom(`groups chaos ${seed}`)
  const count = Math.max(FEWEST_GROUPED_SITES, sites ?? random.int(FEWEST_GROUPED_SITES, MOST_GROUPED_SITES))
  const drawn = drawAveraged(random)
  const kind = given.kind ?? drawn
  const faults = drawChaos(random, { sites: count, rounds: ROUNDS - 1, contributingMs: 1_000 * CONTRIBUTING_S, large: kind === 'large' })
  const founders = foundersOf(count, faults.joining)
  const plan = given.plan ?? drawInGroups(random, faults, count, { bears: borneInGroups(founders), most: founders - thresholdOf(founders) })
  const drawnSlices = random.chance(SLICED[kind]) ? random.int(2, FEWEST_MASKED) : 1
  const quorum = Math.max(FEWEST_IN_ROUND, thresholdOf(FEWEST_IN_STUDY))
  const { study, rules } = await studyOf(kind, count, quorum, given.slices ?? drawnSlices, 'groups')
  return { draw: { seed, sites: count, study: kind, rules, plan, isInGroups: true }, study }
}

/** Groups are of what is averaged. */
function drawAveraged(random: SimRandom): StudyKind {
  const at = random.fraction()
  if (at < 0.5) return 'averaged'
  return at < 0.92 ? 'weights' : 'large'
}

/** How many of its seeds have more than one slice. Small vectors are one whatever the study says, and custodians speak of each on chain all the same. */
const SLICED: Readonly<Record<StudyKind, number>> = { weights: 0.15, fit: 0.15, large: 0.85, resting: 0.15, averaged: 0.15 }

function drawKind(random: SimRandom): StudyKind {
  const at = random.fraction()
  if (at < 0.64) return 'weights'
  return at < 0.8 ? 'fit' : 'large'
}

const studies = new Map<string, { readonly study: ChaosStudy; readonly rules: StudyRules }>()

async function studyOf(
  kind: StudyKind,
  sites: number,
  quorum: number,
  slices: number,
  mode: Protocol['mode'] = 'open',
): Promise<{ readonly study: ChaosStudy; readonly rules: StudyRules }> {
  const name = `${mode} ${kind} ${sites} ${quorum} ${slices}`
  const known = studies.get(name)
  if (known !== undefined) return known
  const study = chaosStudy(kind, sites, quorum, slices, mode)
  const made = { study, rules: await rulesOf(study.protocol) }
  studies.set(name, made)
  return made
}
