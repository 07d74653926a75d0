import type { DraftProtocol } from '#app/protocol/protocol-schema.ts'
import { RotaError } from '#base/errors.ts'
import { drawnCount, FEWEST_IN_ROUND, FEWEST_IN_STUDY } from '#core/masking/drawn-groups.ts'
import { FEWEST_MASKED, MOST_MASKED } from '#core/masking/threshold.ts'
import { whyNoGroups } from '#core/protocol/check-groups.ts'
import type { Protocol } from '#core/protocol/protocol.ts'

/** What `rota simulate` was asked. What is undefined was not given; then a protocol or the usual value says it. */
export interface SimulateOptions {
  readonly data?: string | undefined
  readonly protocol?: string | undefined
  readonly learner?: 'logistic' | 'linear' | 'poisson' | 'statistics' | undefined
  readonly algorithm?: 'newton' | 'fedavg' | undefined
  readonly label?: string | undefined
  readonly drop?: readonly string[]
  readonly minRows?: number | undefined
  readonly rounds?: number | undefined
  readonly localSteps?: number | undefined
  readonly learningRate?: number | undefined
  readonly l2?: number | undefined
  readonly siteIntercepts?: boolean
  readonly standardise?: 'pooled' | 'none' | undefined
  readonly sites?: number | undefined
  readonly rows?: number | undefined
  readonly seed?: number | undefined
  readonly mode?: 'open' | 'masked' | 'groups' | undefined
  /** Probability with which each site drops out of each round. */
  readonly dropOut?: number | undefined
}

/** Where a rehearsal may begin, below what a study may: nobody's rows are at stake here. */
const FEWEST_REHEARSED = 3

/** @throws ROTA-1106 when sites of this mode cannot be simulated, ROTA-2332 when this learner cannot be in groups */
export function checkMode(protocol: Pick<Protocol, 'mode' | 'learner'>, sites: number): void {
  const { mode } = protocol
  if (mode === 'open') return
  const reason = whyNoGroups(protocol)
  if (reason !== null) throw new RotaError('ROTA-2332', { learner: protocol.learner.kind, reason })
  if (mode === 'groups' && sites < FEWEST_IN_ROUND) throw new RotaError('ROTA-1106', { mode, reason: `of ${sites} sites three groups of four cannot be made` })
  if (sites < FEWEST_REHEARSED) throw new RotaError('ROTA-1106', { mode, reason: `of ${sites} sites each would know the other's update from the sum` })
  if (sites > MOST_MASKED) throw new RotaError('ROTA-1106', { mode, reason: `${sites} sites are too many: each shares its secrets with each other one` })
}

/** What members saw of each other in a simulation whose updates were hidden, and what a study may not do. */
export function rehearsalNotes({ mode, sites }: { readonly mode: string; readonly sites: readonly string[] }): readonly string[] {
  if (mode === 'open') return []
  const [fewest, what] = mode === 'groups' ? [FEWEST_IN_STUDY, 'in groups'] : [FEWEST_MASKED, 'masked']
  const few = sites.length < fewest ? ` For trying out alone: a study among fewer than ${fewest} sites may not be ${what}.` : ''
  if (mode === 'masked') return [`Masked: nobody saw a site's update, only the sum of all.${few}`]
  return [
    `Groups: nobody saw a site's update, only the sums of groups, ${drawnCount(sites.length)} at most; each number of the model is in the middle of theirs.${few}`,
  ]
}

const SHARE = /^0?\.\d+$/

/** `--drop` names columns, or, as one number below 1, says how likely each site drops out of a round. */
export function readDrop<T extends { readonly drop?: readonly string[] }>(options: T): T & { readonly dropOut?: number } {
  const [only, ...more] = options.drop ?? []
  if (only === undefined || more.length > 0 || !SHARE.test(only)) return options
  return { ...options, drop: [], dropOut: Number(only) }
}

type SimulatedLearner = Exclude<DraftProtocol['learner'], { readonly kind: 'neural' }>

/** The learner that the options describe; keys left out get the protocol's defaults. @throws ROTA-1102 when options contradict each other */
export function learnerOf(options: SimulateOptions): SimulatedLearner {
  const { learner: kind = 'logistic', algorithm = 'newton', l2 = 0, standardise = 'pooled', siteIntercepts = false } = options
  const stray = strayOption(options, kind, algorithm)
  if (stray !== null)
    throw new RotaError('ROTA-1102', { option: stray, other: kind === 'statistics' ? '--learner statistics' : `--learner ${kind} --algorithm ${algorithm}` })
  if (kind === 'statistics') return { kind }
  if (algorithm === 'newton') return { kind, algorithm, l2, siteIntercepts, standardise }
  const { rounds = 100, localSteps = 5, learningRate = 0.5 } = options
  return { kind: 'logistic', algorithm, rounds, localSteps, learningRate, l2, standardise }
}

/** An option that means nothing for this learner: better told than ignored. */
function strayOption(options: SimulateOptions, kind: string, algorithm: string): string | null {
  const { rounds, localSteps, learningRate, siteIntercepts, l2, standardise } = options
  if (algorithm === 'fedavg' && kind !== 'logistic') return '--algorithm fedavg'
  if (algorithm === 'fedavg') return siteIntercepts ? '--site-intercepts' : null
  if (rounds !== undefined) return '--rounds'
  if (localSteps !== undefined) return '--local-steps'
  if (learningRate !== undefined) return '--learning-rate'
  if (kind !== 'statistics') return null
  if (l2 !== undefined) return '--l2'
  if (siteIntercepts) return '--site-intercepts'
  return standardise === undefined ? null : '--standardise'
}

/** Options that say the same as the protocol do no harm; others would be lost without a word. @throws ROTA-1104, ROTA-1102 */
export function checkAgainst(protocol: Protocol, options: SimulateOptions): void {
  const spec: Readonly<Record<string, unknown>> = { ...protocol.learner }
  const claims: readonly (readonly [string, string, unknown, unknown])[] = [
    ['--mode', 'mode', options.mode, protocol.mode],
    ['--learner', 'learner.kind', options.learner, spec.kind],
    ['--algorithm', 'learner.algorithm', options.algorithm, spec.algorithm],
    ['--label', 'label.name', options.label, protocol.label.name],
    ['--min-rows', 'cohort.minRows', options.minRows, protocol.cohort.minRows],
    ['--rounds', 'learner.rounds', options.rounds, spec.rounds],
    ['--local-steps', 'learner.localSteps', options.localSteps, spec.localSteps],
    ['--learning-rate', 'learner.learningRate', options.learningRate, spec.learningRate],
    ['--l2', 'learner.l2', options.l2, spec.l2],
    ['--site-intercepts', 'learner.siteIntercepts', options.siteIntercepts || undefined, spec.siteIntercepts],
    ['--standardise', 'learner.standardise', options.standardise, spec.standardise],
  ]
  for (const [option, path, given, value] of claims) {
    if (given !== undefined && given !== value) throw new RotaError('ROTA-1104', { option, path, given: String(given), value: String(value ?? 'nothing') })
  }
  for (const column of options.drop ?? []) {
    if (protocol.features.some(({ name }) => name === column))
      throw new RotaError('ROTA-1102', { option: `--drop ${column}`, other: '--protocol, which names it as a feature' })
  }
}
