import { log, sigmoid } from '../learner/elementary.ts'
import type { Feature, Label } from '../protocol/protocol.ts'
import { Seeded } from './seeded.ts'
import type { SplitTable, Table } from './table.ts'

/** A make-believe cohort of unlike hospitals whose true coefficients are known: for the demo, `simulate` and tests. */
export interface GeneratedCohort {
  readonly features: readonly Feature[]
  readonly label: Label
  /** In the order they were made; sizes and case mix differ, the effect of each feature does not. */
  readonly sites: readonly { readonly name: string; readonly table: SplitTable }[]
  /** Log odds per unit of each feature, "(intercept)" last in `columns` and `coef`. */
  readonly truth: { readonly columns: readonly string[]; readonly coef: readonly number[] }
}

export interface CohortOptions {
  readonly sites: number
  /** Rows of a site on average, train and test together; a site has from 0.6 to 1.4 times as many. */
  readonly rows: number
  readonly seed: number
  /** Share of rows for testing; default 1/3. */
  readonly testShare?: number
}

const NAMES = ['northgate', 'harbour', 'st-anna', 'lakeside', 'hillcrest', 'riverside', 'old-town', 'westfield'] as const

/** How one feature is drawn at one site, within its valid range and rounded as wards do. */
interface Draw {
  readonly feature: Feature
  /** Log odds per unit. */
  readonly effect: number
  readonly value: (random: Seeded, site: CaseMix) => number
}

/** A site's own case mix, standard normal each. */
interface CaseMix {
  readonly age: number
  readonly severity: number
  readonly comorbidity: number
}

const DRAWS: readonly Draw[] = [
  draw('age', 'Age at admission', 'a', [18, 100], 0.045, (r, s) => Math.round(66 + 4 * s.age + 12 * normal(r))),
  draw('male', 'Sex recorded as male', '1', [0, 1], 0.35, (r) => flag(r, 0.55)),
  draw('systolic_bp', 'Systolic blood pressure at admission', 'mm[Hg]', [60, 240], -0.014, (r, s) => Math.round(134 - 5 * s.severity + 21 * normal(r))),
  draw('heart_rate', 'Heart rate at admission', '/min', [30, 200], 0.011, (r, s) => Math.round(86 + 4 * s.severity + 17 * normal(r))),
  draw('creatinine', 'Serum creatinine', 'mg/dL', [0.2, 8], 0.42, (r, s) => tenth(1.15 + 0.12 * s.severity + 0.25 * Math.abs(normal(r)) * (2 + normal(r)))),
  draw('bmi', 'Body mass index', 'kg/m2', [12, 60], 0.02, (r, s) => tenth(27 + 0.8 * s.comorbidity + 4.5 * normal(r))),
  draw('diabetes', 'Diabetes mellitus, any type', '1', [0, 1], 0.55, (r, s) => flag(r, sigmoid(-0.9 + 0.35 * s.comorbidity))),
  draw('smoker', 'Smokes now', '1', [0, 1], 0.3, (r, s) => flag(r, sigmoid(-1.1 + 0.3 * s.comorbidity))),
]

const INTERCEPT = -4.15

const LABEL: Label = { name: 'readmitted', description: 'Unplanned readmission within 30 days', unit: '1', kind: 'binary', range: [0, 1] }

export function generateCohort({ sites, rows, seed, testShare = 1 / 3 }: CohortOptions): GeneratedCohort {
  const random = new Seeded(seed)
  return {
    features: DRAWS.map(({ feature }) => feature),
    label: LABEL,
    sites: Array.from({ length: sites }, (_, i) => ({ name: NAMES[i] ?? `hospital-${i + 1}`, table: siteTable(random, rows, testShare) })),
    truth: { columns: [...DRAWS.map(({ feature }) => feature.name), '(intercept)'], coef: [...DRAWS.map(({ effect }) => effect), INTERCEPT] },
  }
}

function siteTable(random: Seeded, rows: number, testShare: number): SplitTable {
  const mix: CaseMix = { age: normal(random), severity: normal(random), comorbidity: normal(random) }
  const size = Math.max(2, Math.round(rows * (0.6 + 0.8 * random.uniform())))
  const test = Math.round(size * testShare)
  return { train: drawRows(random, mix, size - test), test: drawRows(random, mix, test) }
}

function drawRows(random: Seeded, mix: CaseMix, rows: number): Table {
  const columns = DRAWS.map(({ feature }) => feature.name)
  const values = new Float64Array(rows * columns.length)
  const label = new Float64Array(rows)
  for (let i = 0; i < rows; i++) {
    let eta = INTERCEPT
    DRAWS.forEach(({ feature: { range }, effect, value }, j) => {
      const x = Math.min(range[1], Math.max(range[0], value(random, mix)))
      values[i * columns.length + j] = x
      eta += effect * x
    })
    label[i] = flag(random, sigmoid(eta))
  }
  return { columns, rows, values, label }
}

function draw(name: string, description: string, unit: string, range: readonly [number, number], effect: number, value: Draw['value']): Draw {
  return { feature: { name, description, unit, range, missing: 'refuse' }, effect, value }
}

const flag = (random: Seeded, chance: number): number => (random.uniform() < chance ? 1 : 0)

const tenth = (x: number): number => Math.round(x * 10) / 10

/** Marsaglia's polar method; the second of each pair is left out. */
function normal(random: Seeded): number {
  for (;;) {
    const u = 2 * random.uniform() - 1
    const v = 2 * random.uniform() - 1
    const square = u * u + v * v
    if (square < 1 && square > 1e-30) return u * Math.sqrt((-2 * log(square)) / square)
  }
}
