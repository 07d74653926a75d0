import type { InvariantName } from './invariants/all.ts'
import { type Broken, brokenIn } from './invariants/all.ts'
import { type Draw, only, type RunRecord } from './record.ts'

/** What is left of a seed once it is checked. */
export interface SeedReport {
  readonly seed: number
  readonly roundsOpened: number
  readonly roundsClosed: number
  readonly roundsVoid: number
  readonly roundsLost: number
  readonly broken: readonly Broken[]
  /** Faults that were drawn, and how often each struck. */
  readonly faults: Readonly<Record<string, number>>
  readonly happened: Readonly<Record<Happening, number>>
}

/** What came of faults, on chain. */
export const HAPPENINGS = ['pauses', 'halts', 'moreTime', 'newKeys', 'wrongSums', 'custodiansAdded'] as const
export type Happening = (typeof HAPPENINGS)[number]

/** As `npm run chaos -- --json` prints it. */
export interface ChaosReport {
  readonly seeds: number
  readonly roundsOpened: number
  readonly roundsClosed: number
  readonly roundsLost: number
  /** Times that an invariant is broken, over all seeds. */
  readonly invariantsBroken: number
  readonly failing: readonly number[]
  /** Of each fault: in how many seeds it was drawn, in how many it struck, and how often. */
  readonly faults: Readonly<Record<string, { readonly drawn: number; readonly struck: number; readonly times: number }>>
  readonly happened: Readonly<Record<Happening, number>>
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
    faults: Object.fromEntries(drawnIn(record.draw).map((fault) => [fault, strikesOf(record, fault)])),
    happened: happenedIn(record),
  }
}

/** Names of all faults of a draw. */
function drawnIn({ plan, rules, study }: Draw): string[] {
  const named = [...plan.lies.map(({ lie }) => lie), ...plan.disturbances.map(({ kind }) => kind), ...plan.crashes.map(({ point }) => `crash at ${point}`)]
  const others = { crash: plan.crashes.length, late: plan.late.length, 'slow-training': plan.training.length, slices: study === 'large' ? rules.slices - 1 : 0 }
  return [...new Set([...named, ...Object.entries(others).flatMap(([name, count]) => (count > 0 ? [name] : []))])]
}

const strikesOf = ({ strikes, timeline }: RunRecord, fault: string): number =>
  fault === 'slices' ? timeline.filter(({ kind, text }) => kind === 'row' && text === 'tell-slices').length : (strikes.get(fault) ?? 0)

function happenedIn({ events }: RunRecord): Record<Happening, number> {
  const changes = only(events, 'RunStateChanged')
  const witnessing = only(events, 'PhaseBegan').filter(({ phase }) => phase === 'Witnessing')
  return {
    pauses: changes.filter(({ state }) => state === 'Paused').length,
    halts: changes.filter(({ state }) => state === 'Halted').length,
    moreTime: only(events, 'ContributingExtended').length,
    newKeys: Math.max(0, only(events, 'EpochPublished').length - 1),
    wrongSums: only(events, 'PublicationDiscarded').filter(({ wrongSum }) => wrongSum).length,
    custodiansAdded: witnessing.length - new Set(witnessing.map(({ round }) => round)).size,
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
    faults: faultsIn(reports),
    happened: Object.fromEntries(HAPPENINGS.map((what) => [what, total((r) => r.happened[what])])) as Record<Happening, number>,
  }
}

function faultsIn(reports: readonly SeedReport[]): ChaosReport['faults'] {
  const all = reports.flatMap(({ faults }) => Object.entries(faults))
  const entries = [...Map.groupBy(all, ([fault]) => fault)].map(([fault, of]) => {
    const times = of.reduce((sum, [, count]) => sum + count, 0)
    return [fault, { drawn: of.length, struck: of.filter(([, count]) => count > 0).length, times }] as const
  })
  return Object.fromEntries(entries.sort(([a], [b]) => a.localeCompare(b)))
}
