import { defaultMapping } from '#adapters/cohort/mapping.ts'
import { readRows, toSplitTable } from '#adapters/cohort/read-rows.ts'
import { systemRandom } from '#adapters/host/system-host.ts'
import { protocolFromData } from '#app/protocol/draft-protocol.ts'
import { descendNoisily } from '#core/learner/private/descent.ts'
import { advanceLogistic, logisticSensitivity, probability, releaseLogistic } from '#core/learner/private/logistic.ts'
import { GaussianNoise } from '#core/learner/private/noise.ts'
import { designRow, mapped } from '#core/learner/private/rows.ts'
import { oneRowEach } from '#core/learner/private/units.ts'
import { type Setup, setupOf } from '#core/learner/setup.ts'
import type { SplitTable, Table } from '#core/model/table.ts'
import type { RandomSource } from '#core/ring/to-ring.ts'
import type { PrivacyPlan } from './plan.ts'

/** A site's own rows, to try a plan on. Nothing that comes of them has noise enough to be shown around: it stays at the site. */
export interface OwnRows {
  readonly setup: Setup
  readonly table: SplitTable
  readonly kind: 'logistic' | 'linear'
  /** All of the file that a study would train on. */
  readonly patients: number
  /** Test rows are those that the file marks, or every fourth. */
  readonly heldOut: 'marked' | 'every fourth'
}

/** What a plan's noise leaves of a model of this site alone, on its test rows. */
export interface DryRun {
  readonly model: 'logistic, noisy Newton steps' | 'logistic, noisy gradient steps' | 'linear, noisy gradient steps'
  readonly figure: 'accuracy' | 'R²'
  readonly train: number
  readonly test: number
  readonly heldOut: OwnRows['heldOut']
  /** The same steps without noise. */
  readonly without: number
  /** What predicting the most frequent outcome, or the mean, comes to. */
  readonly guessing: number
  readonly targets: readonly DryTarget[]
}

export interface DryTarget {
  readonly epsilon: number
  /** Mean of so many fits, each with noise of its own, and the worst and best of them. */
  readonly mean: number
  readonly low: number
  readonly high: number
}

const FITS = 11
/** Newton's steps are few; a plan of more is one of gradient steps. */
const MOST_NEWTON = 10
/** Norms that rows [1, features…] are clipped to, and gradients: what protocols take where they say nothing is 1. */
const ROW_NORM = 3
const CLIP = 1

/** @throws ROTA-3xxx the file */
export async function readOwnRows(file: string, options: { readonly label?: string | undefined; readonly drop?: readonly string[] }): Promise<OwnRows> {
  const protocol = await protocolFromData(file, { ...options, minRows: 1, minSites: 1, maxSites: 1, learner: { kind: 'statistics' } })
  // A row with an empty cell is left out: dry runs fill nothing in.
  const features = protocol.features.map((feature) => ({ ...feature, missing: 'drop-row' as const }))
  const kind = protocol.label.kind === 'binary' ? 'logistic' : 'linear'
  const { rows } = await readRows(file, defaultMapping(), { ...protocol, features })
  const whole = rows.filter(({ values, label }) => !Number.isNaN(label) && values.every((x) => !Number.isNaN(x)))
  const isMarked = whole.some(({ set }) => set === 'test')
  const split = isMarked ? whole : whole.map((row, i) => ({ ...row, set: i % 4 === 3 ? ('test' as const) : ('train' as const) }))
  const table = toSplitTable(split, protocol)
  return { setup: setupOf(protocol), table, kind, patients: isMarked ? table.train.rows : whole.length, heldOut: isMarked ? 'marked' : 'every fourth' }
}

type Plan = Pick<PrivacyPlan, 'samplingRate' | 'steps' | 'batch' | 'cohort' | 'targets'>

/** Fits this site's rows as the plan says, at each of its promises. Seconds for thousands of steps; `tell` says how far it is. */
export function dryRun(
  { setup, table, kind, heldOut }: OwnRows,
  plan: Plan,
  tell: (text: string) => void = () => undefined,
  random: RandomSource = systemRandom,
): DryRun {
  const isNewton = kind === 'logistic' && plan.samplingRate === 1 && plan.steps <= MOST_NEWTON
  const fit = (noise: number): Float64Array =>
    isNewton ? newton(setup, table.train, plan, noise, random) : descent(setup, table.train, kind, plan, noise, random)
  const judge = (coef: Float64Array): number => judged(setup, table.test, kind, coef)
  const targets = plan.targets.map(({ epsilon, noise }) => {
    tell(`epsilon ${epsilon} on your rows`)
    const found = Array.from({ length: FITS }, () => judge(fit(noise))).sort((a, b) => a - b)
    return { epsilon, mean: found.reduce((sum, x) => sum + x, 0) / FITS, low: found[0] as number, high: found.at(-1) as number }
  })
  return {
    model: isNewton ? 'logistic, noisy Newton steps' : `${kind}, noisy gradient steps`,
    figure: kind === 'logistic' ? 'accuracy' : 'R²',
    ...{ train: table.train.rows, test: table.test.rows, heldOut },
    without: judge(fit(0)),
    guessing: guessing(table, kind),
    targets,
  }
}

function newton(setup: Setup, train: Table, { steps }: Plan, noise: number, random: RandomSource): Float64Array {
  const policy = { noise, rowsPerPatient: 1, rowNorm: ROW_NORM, penalty: 1 }
  const deviation = noise * logisticSensitivity(policy)
  const patients = oneRowEach(train.rows)
  const drawn = new GaussianNoise(random)
  let coef: Float64Array = new Float64Array(setup.names.length + 1)
  for (let step = 0; step < steps; step++) {
    const part = releaseLogistic(setup, train, patients, coef, policy, drawn)
    coef = advanceLogistic(setup, coef, (i) => Number(part[i]) / setup.fractionScale, deviation, policy).coef
  }
  return coef
}

/** The rate at which steps down a gradient of such rows surely descend, without noise. */
function descent(
  setup: Setup,
  train: Table,
  kind: OwnRows['kind'],
  { samplingRate, steps, batch, cohort }: Plan,
  noise: number,
  random: RandomSource,
): Float64Array {
  const learningRate = (kind === 'logistic' ? 8 : 2) / (setup.names.length + 1)
  const expectedBatch = (batch / cohort) * train.rows
  return descendNoisily(setup, train, kind, { clip: CLIP, noise, samplingRate, steps, expectedBatch, learningRate }, random)
}

function judged(setup: Setup, test: Table, kind: OwnRows['kind'], coef: Float64Array): number {
  const z = new Float64Array(setup.names.length + 1)
  let [right, rest, spread] = [0, 0, 0]
  const mean = meanOf(setup, test)
  for (let i = 0; i < test.rows; i++) {
    designRow(setup, test, i, z)
    const y = test.label[i] as number
    if (kind === 'logistic') right += (probability(coef, z) > 0.5 ? 1 : 0) === y ? 1 : 0
    else {
      const v = mapped(y, setup.labelMiddle, setup.labelHalf)
      rest += (v - coef.reduce((sum, c, j) => sum + c * (z[j] as number), 0)) ** 2
      spread += (v - mean) ** 2
    }
  }
  return kind === 'logistic' ? right / test.rows : spread > 0 ? 1 - rest / spread : 0
}

const meanOf = ({ labelMiddle, labelHalf }: Setup, { label, rows }: Table): number =>
  label.reduce((sum, y) => sum + mapped(y, labelMiddle, labelHalf), 0) / rows

function guessing({ train, test }: SplitTable, kind: OwnRows['kind']): number {
  if (kind === 'linear') return 0
  const usual = train.label.reduce((sum, y) => sum + y, 0) > train.rows / 2 ? 1 : 0
  return test.label.filter((y) => y === usual).length / test.rows
}
