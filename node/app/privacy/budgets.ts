import type { Digest, RunId, SiteId, StudyId } from '#base/ids.ts'
import { epsilonOfWord } from '#core/privacy/chain-lanes.ts'
import type { SampledGaussian } from '#core/privacy/mechanism.ts'
import { prvEpsilon } from '#core/privacy/prv.ts'
import { mechanismOf, metricsMechanism, plannedRounds, policyWords, roundsLeft } from '#core/protocol/private-rounds.ts'
import type { PrivacySpec, Protocol } from '#core/protocol/protocol.ts'
import type { ChainEvent, ChainReader } from '#ports/chain.ts'

/** What a site's dataset has given away, and what a study still lets it give. */
export interface Budget {
  readonly site: SiteId
  readonly dataset: Digest
  readonly study: StudyId
  readonly delta: number
  /** Epsilon that the study allows the dataset to have spent, in all studies together. */
  readonly limit: number
  /** Rounds charged for this study; those that came to nothing among them. */
  readonly rounds: number
  /** Epsilon spent in all studies, as the chain counts and refuses by: RDP. Null where it can count no further. */
  readonly enforced: number | null
  /** The same, counted tightly (PRV); null where the protocol of a study that was charged is not here, or it was not asked for. */
  readonly tight: number | null
  /** Of the limit, by what is enforced. */
  readonly left: number
  /** Of the limit, counted tightly: what the chain would leave if it could count so. Null where `tight` is. */
  readonly leftTight: number | null
  /** Rounds of this study that the chain would still take. */
  readonly roundsLeft: number
}

/** A study with differential privacy, as far as it is known here. */
export interface AccountedStudy {
  readonly study: StudyId
  /** Null while its protocol is not on this disk. */
  readonly privacy: PrivacySpec | null
  /** Of the fit of each of its runs: a run that was charged more often has its test metrics among them, or rounds that came to nothing. */
  readonly fitRounds?: number
}

export const accountedStudy = (study: StudyId, protocol: Protocol | null): AccountedStudy =>
  protocol === null ? { study, privacy: null } : { study, privacy: protocol.privacy ?? null, fitRounds: plannedRounds(protocol.learner) }

type Charged = Extract<ChainEvent, { kind: 'Charged' }>

export interface LedgerView {
  readonly charges: readonly Charged[]
  readonly studyOf: ReadonlyMap<RunId, StudyId>
}

/** All charges there are, with the studies that their runs are of. */
export async function readLedger(chain: Pick<ChainReader, 'events' | 'runs'>): Promise<LedgerView> {
  const [events, runs] = await Promise.all([chain.events(0, { kinds: ['Charged'] }), chain.runs()])
  return { charges: events.filter((event): event is Charged => event.kind === 'Charged'), studyOf: new Map(runs.map(({ run, study }) => [run, study])) }
}

/** Datasets that were charged, newest charge last; a site's own stands there from the beginning. */
export function datasetsIn({ charges }: LedgerView, own: { readonly site: SiteId; readonly dataset: Digest } | null): { site: SiteId; dataset: Digest }[] {
  const found = new Map<string, { site: SiteId; dataset: Digest }>()
  for (const { site, dataset } of [...(own === null ? [] : [own]), ...charges]) found.set(`${site}/${dataset}`, { site, dataset })
  return [...found.values()].sort((a, b) => a.site - b.site)
}

/**
 * One dataset beside each of the studies.
 * @param isTight counts by PRV too, which takes up to half a second of processor time for each delta
 */
export function budgetsOf(
  ledger: LedgerView,
  { site, dataset }: { readonly site: SiteId; readonly dataset: Digest },
  studies: readonly AccountedStudy[],
  isTight: boolean,
): readonly Budget[] {
  const own = ledger.charges.filter((charge) => charge.site === site && charge.dataset === dataset)
  const spent = own.at(-1)?.spent ?? 0n
  const roundsOf = (study: StudyId): number => own.filter(({ run }) => ledger.studyOf.get(run) === study).length
  const mechanisms = isTight ? mechanismsOf(ledger, own, studies) : null
  const tightAt = new Map<number, number>()
  const tightly = (delta: number): number | null => {
    if (mechanisms === null) return null
    const known = tightAt.get(delta) ?? prvEpsilon(mechanisms, delta).upper
    tightAt.set(delta, known)
    return known
  }
  return studies.flatMap(({ study, privacy }) => {
    if (privacy === null) return []
    const { delta, epsilon: limit } = privacy
    const enforced = epsilonOfWord(spent, delta)
    const tight = tightly(delta)
    return {
      ...{ site, dataset, study, delta, limit },
      rounds: roundsOf(study),
      enforced: Number.isFinite(enforced) ? enforced : null,
      tight,
      left: Math.max(0, limit - enforced),
      leftTight: tight === null ? null : Math.max(0, limit - tight),
      roundsLeft: roundsLeft(spent, policyWords(privacy)),
    }
  })
}

/** All that was charged to a dataset; null where what a study cost is not known here. */
function mechanismsOf({ studyOf }: LedgerView, own: readonly Charged[], studies: readonly AccountedStudy[]): readonly SampledGaussian[] | null {
  const rounds = new Map<RunId, number>()
  for (const { run } of own) rounds.set(run, (rounds.get(run) ?? 0) + 1)
  const known = new Map(studies.map((study) => [study.study, study]))
  const found: SampledGaussian[] = []
  for (const [run, count] of rounds) {
    const { privacy, fitRounds = 0 } = known.get(studyOf.get(run) as StudyId) ?? { privacy: null }
    if (privacy === null) return null
    found.push({ ...mechanismOf(privacy), steps: privacy.steps * count }, ...metricsAmong(privacy, Math.max(0, count - fitRounds)))
  }
  return joined(found)
}

/** Rounds beyond those of the fit may be of either kind: where the two differ they count as both, which is never too little. */
function metricsAmong(privacy: PrivacySpec, rounds: number): readonly SampledGaussian[] {
  const { metrics, noise, samplingRate, steps } = privacy
  const isAlike = samplingRate === 1 && steps === 1 && metrics !== undefined && metrics >= noise
  return metrics === undefined || isAlike || rounds === 0 ? [] : [{ ...metricsMechanism(metrics), steps: rounds }]
}

/** One of each kind. */
function joined(mechanisms: readonly SampledGaussian[]): readonly SampledGaussian[] {
  const kinds = new Map<string, SampledGaussian>()
  for (const mechanism of mechanisms) {
    const kind = `${mechanism.samplingRate}/${mechanism.noise}`
    kinds.set(kind, { ...mechanism, steps: mechanism.steps + (kinds.get(kind)?.steps ?? 0) })
  }
  return [...kinds.values()]
}
