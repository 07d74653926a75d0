import { drawChaos, mostFaulty } from '#adapters/sim/draw-faults.ts'
import { SimRandom } from '#adapters/sim/random.ts'
import { rulesOf } from '#app/study-rules.ts'
import type { StudyRules } from '#ports/chain.ts'
import { type ChaosStudy, chaosStudy, ROUNDS, type StudyKind } from './chaos-study.ts'
import type { Draw } from './record.ts'

const FEWEST_SITES = 4
const MOST_SITES = 9

/** A seed decides everything; `sites` fixes how many there are. */
export async function drawSeed(seed: number, sites?: number): Promise<{ readonly draw: Draw; readonly study: ChaosStudy }> {
  const random = new SimRandom(`chaos ${seed}`)
  const count = sites ?? random.int(FEWEST_SITES, MOST_SITES)
  const kind = drawKind(random)
  const plan = drawChaos(random, { sites: count, rounds: ROUNDS - 1 })
  const majority = count - mostFaulty(count)
  // Where some lie, a set in which they are more than half must not do.
  const quorum = plan.lies.length > 0 ? majority : random.int(2, majority)
  const { study, rules } = await studyOf(kind, count, quorum)
  return { draw: { seed, sites: count, study: kind, rules, plan }, study }
}

function drawKind(random: SimRandom): StudyKind {
  const at = random.fraction()
  if (at < 0.82) return 'weights'
  return at < 0.96 ? 'fit' : 'large'
}

const studies = new Map<string, { readonly study: ChaosStudy; readonly rules: StudyRules }>()

async function studyOf(kind: StudyKind, sites: number, quorum: number): Promise<{ readonly study: ChaosStudy; readonly rules: StudyRules }> {
  const name = `${kind} ${sites} ${quorum}`
  const study = studies.get(name)?.study ?? chaosStudy(kind, sites, quorum)
  const known = studies.get(name) ?? { study, rules: await rulesOf(study.protocol) }
  studies.set(name, known)
  return known
}
