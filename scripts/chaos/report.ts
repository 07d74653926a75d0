import type { InvariantName } from './invariants/all.ts'
import { type Broken, brokenIn } from './invariants/all.ts'
import { only, type RunRecord } from './record.ts'

/** What is left of a seed once it is checked. */
export interface SeedReport {
  readonly seed: number
  readonly roundsOpened: number
  readonly roundsClosed: number
  readonly roundsVoid: number
  readonly roundsLost: number
  readonly broken: readonly Broken[]
}

/** As `npm run chaos -- --json` prints it. */
export interface ChaosReport {
  readonly seeds: number
  readonly roundsOpened: number
  readonly roundsClosed: number
  readonly roundsLost: number
  /** Times that an invariant is broken, over all seeds. */
  readonly invariantsBroken: number
  readonly failing: readonly number[]
}

const LOST: InvariantName = 'noRoundLost'

export function reportOf(record: RunRecord): SeedReport {
  const broken = brokenIn(record)
  return {
    seed: record.draw.seed,
    roundsOpened: only(record.events, 'RoundOpened').length,
    roundsClosed: only(record.events, 'RoundClosed').length,
    roundsVoid: only(record.events, 'RoundVoid').length,
    roundsLost: broken.filter(({ invariant }) => invariant === LOST).length,
    broken,
  }
}

export function addUp(reports: readonly SeedReport[]): ChaosReport {
  const total = (count: (report: SeedReport) => number): number => reports.reduce((sum, report) => sum + count(report), 0)
  return {
    seeds: reports.length,
    roundsOpened: total((r) => r.roundsOpened),
    roundsClosed: total((r) => r.roundsClosed),
    roundsLost: total((r) => r.roundsLost),
    invariantsBroken: total((r) => r.broken.length),
    failing: reports.filter((r) => r.broken.length > 0).map(({ seed }) => seed),
  }
}
