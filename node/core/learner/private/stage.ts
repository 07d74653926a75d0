import type { SplitTable } from '#core/model/table.ts'
import { type PrivateProtocol, sharesFor } from '#core/protocol/private-rounds.ts'
import { layoutOf } from '#core/ring/layout.ts'
import type { RandomSource } from '#core/ring/to-ring.ts'
import type { ExactUpdate, SumValues, VectorLayout } from '#core/ring/vectors.ts'
import type { LearnerTools } from '../learner.ts'
import { checkTable, type Setup } from '../setup.ts'
import { GaussianNoise } from './noise.ts'
import { SharedNoise } from './shared-noise.ts'
import { noisyBound, type SumNoise } from './sums.ts'
import { groupPatients, oneRowEach, type Patients } from './units.ts'

/** What the stages of exact private learners have in common: one vector of noisy sums a round. */
export function noisyLayout(
  { wordBits, fractionBits, maxRows }: Setup,
  { privacy }: PrivateProtocol,
  length: number,
  sensitivity: number,
  noise = privacy.noise,
): VectorLayout {
  return layoutOf('exact', wordBits, [{ name: 'noisy sum', length, fractionBits, bound: noisyBound({ maxRows, sensitivity }, noise) }])
}

/** The patients of the train rows. Sites have one row a patient: a file with two of one is refused (ROTA-3009). */
export const patientsOf = ({ train }: SplitTable, { privacy }: PrivateProtocol): Patients =>
  groupPatients(train.rows, null, { unit: 'row', minPatients: privacy.minPatients })

/**
 * The site's vector for a round, of its train rows or of its test rows. Local noise is all that its patients need, whoever else takes part; of distributed noise it is a share.
 * @throws ROTA-2383 below the policy's minimum; 2105, 2106, 2110 rows that do not fit
 */
export function noisyUpdate(
  setup: Setup,
  protocol: PrivateProtocol,
  layout: VectorLayout,
  cohort: SplitTable,
  { random }: LearnerTools,
  release: (patients: Patients, noise: SumNoise) => BigInt64Array,
  set: 'train' | 'test' = 'train',
): ExactUpdate {
  if (random === undefined) throw new TypeError('a private learner was given nothing to draw noise from')
  checkTable(setup, cohort[set], set, protocol.learner.kind === 'statistics')
  const training = patientsOf(cohort, protocol)
  const patients = set === 'train' ? training : oneRowEach(cohort.test.rows)
  return { kind: 'exact', layout, coordinates: release(patients, noiseOf(protocol, random)) }
}

const noiseOf = (protocol: PrivateProtocol, random: RandomSource): SumNoise =>
  protocol.privacy.place === 'distributed' ? new SharedNoise(random, sharesFor(protocol)) : new GaussianNoise(random)

/** Deviation of the noise in a sum over sites, of which each added its own, or its share. */
export const noiseInSum = (protocol: PrivateProtocol, sensitivity: number, { sites }: SumValues, noise = protocol.privacy.noise): number =>
  noise * sensitivity * Math.sqrt(protocol.privacy.place === 'distributed' ? sites / sharesFor(protocol) : sites)
