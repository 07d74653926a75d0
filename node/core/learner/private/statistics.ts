import type { Table } from '#core/model/table.ts'
import { estimate, type PrivateEstimate } from './estimates.ts'
import { eachPatient, mapped, type PrivateSetup } from './rows.ts'
import { PrivateSum, type PrivateSumPolicy, type SumNoise } from './sums.ts'
import type { Patients } from './units.ts'

/**
 * Counts, means, variances and histograms from one release: of each variable (features, then the label) over its range, u in [-1, 1],
 * [rows with a value, Σu, Σu², rows in each bin], and before them all rows.
 *
 * Sensitivity. A row adds 1 to all rows, and to a variable's part 1, u, u² and 1 to one bin, or nothing where the value is missing: at most
 * 1 + v(1 + 1 + 1 + 1) squared over v variables. A patient with k rows, k ≤ rowsPerPatient, has k·√(1 + 4v) at most; the sum is scaled to that.
 */
export const statisticsSensitivity = ({ names }: Pick<PrivateSetup, 'names'>, { rowsPerPatient }: PrivateSumPolicy): number =>
  rowsPerPatient * Math.sqrt(1 + 4 * (names.length + 1))

export const statisticsLength = ({ names }: Pick<PrivateSetup, 'names'>, bins: number): number => 1 + (names.length + 1) * (3 + bins)

/** A site's part, in steps of 2^-fractionBits. NaN is a missing value. */
export function releaseStatistics(
  setup: PrivateSetup,
  bins: number,
  table: Table,
  patients: Patients,
  policy: PrivateSumPolicy,
  noise: SumNoise,
): BigInt64Array {
  const p = setup.names.length
  const length = statisticsLength(setup, bins)
  const sum = new PrivateSum(length, setup.fractionBits, statisticsSensitivity(setup, policy))
  const row = (i: number, into: Float64Array): void => {
    into[0] = (into[0] as number) + 1
    for (let j = 0; j <= p; j++) {
      const [middle, half] = rangeOf(setup, j)
      const u = mapped(j < p ? (table.values[i * p + j] as number) : (table.label[i] as number), middle, half)
      if (!Number.isNaN(u)) addValue(u, bins, into, 1 + j * (3 + bins))
    }
  }
  eachPatient(patients, length, row, (vector) => sum.addPatient(vector))
  return sum.release(policy, noise)
}

const rangeOf = ({ names, middle, half, labelMiddle, labelHalf }: PrivateSetup, j: number): readonly [number, number] =>
  j < names.length ? [middle[j] as number, half[j] as number] : [labelMiddle, labelHalf]

function addValue(u: number, bins: number, into: Float64Array, at: number): void {
  const bin = at + 3 + Math.min(bins - 1, Math.floor(((u + 1) / 2) * bins))
  into[at] = (into[at] as number) + 1
  into[at + 1] = (into[at + 1] as number) + u
  into[at + 2] = (into[at + 2] as number) + u * u
  into[bin] = (into[bin] as number) + 1
}

/** In the variable's own unit. */
export interface PrivateSummary {
  /** Rows with a value; its interval is for those of this cohort. */
  readonly present: PrivateEstimate
  /** Their intervals are for the population that the rows are a sample of. Null where counts are not clear of their noise. */
  readonly mean: PrivateEstimate | null
  readonly variance: PrivateEstimate | null
  /** Rows in each bin of the range; intervals as for `present`. May be below 0: set to 0, sums of bins would lean upwards. */
  readonly histogram: readonly PrivateEstimate[]
}

/** A count this many deviations of its noise or more may be divided by: the first-order errors below hold. */
const CLEAR = 6

/**
 * Errors: a count has the noise's variance d². With N the noisy count, m = S/N has (s² + d²(1 + m²)/N)/N: rows, and noise in S and N. The variance
 * q = Q/N − m² has the derivatives 1/N, −2m/N and (2m² − Q/N)/N by Q, S and N, so noise adds d²(1 + 4m² + (2m² − Q/N)²)/N², and rows 2q²/N, which
 * is a normal variable's.
 * @param total the sum over sites, decoded @param deviation of the noise in it: noise × sensitivity × √sites
 */
export function describeStatistics(setup: PrivateSetup, bins: number, total: (i: number) => number, deviation: number): readonly PrivateSummary[] {
  return Array.from({ length: setup.names.length + 1 }, (_, j) => describe(rangeOf(setup, j), bins, (i) => total(1 + j * (3 + bins) + i), deviation))
}

function describe([middle, half]: readonly [number, number], bins: number, at: (i: number) => number, deviation: number): PrivateSummary {
  const [rows, noise] = [at(0), deviation * deviation]
  const counts = { present: estimate(rows, noise), histogram: Array.from({ length: bins }, (_, bin) => estimate(at(3 + bin), noise)) }
  if (!(rows > CLEAR * deviation) || !(rows > 1)) return { ...counts, mean: null, variance: null }
  const [mean, squares] = [at(1) / rows, at(2) / rows]
  const spread = Math.max(0, squares - mean * mean)
  const ofMean = (spread + (noise * (1 + mean * mean)) / rows) / rows
  const slope = 2 * mean * mean - squares
  const ofSpread = (2 * spread * spread + (noise * (1 + 4 * mean * mean + slope * slope)) / rows) / rows
  const area = half * half
  return { ...counts, mean: estimate(middle + half * mean, area * ofMean), variance: estimate(area * spread, area * area * ofSpread) }
}
