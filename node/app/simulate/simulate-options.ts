import { RotaError } from '#base/errors.ts'
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
}

type WrittenLearner = { readonly kind: 'logistic' | 'linear' | 'poisson' | 'statistics' } & Readonly<Record<string, unknown>>

/** The learner that the options describe; keys left out get the protocol's defaults. @throws ROTA-1102 when options contradict each other */
export function learnerOf(options: SimulateOptions): WrittenLearner {
  const { learner: kind = 'logistic', algorithm = 'newton', l2 = 0, standardise = 'pooled', siteIntercepts = false } = options
  const stray = strayOption(options, kind, algorithm)
  if (stray !== null)
    throw new RotaError('ROTA-1102', { option: stray, other: kind === 'statistics' ? '--learner statistics' : `--learner ${kind} --algorithm ${algorithm}` })
  if (kind === 'statistics') return { kind }
  if (algorithm === 'newton') return { kind, algorithm, l2, siteIntercepts, standardise }
  const { rounds = 100, localSteps = 5, learningRate = 0.5 } = options
  return { kind, algorithm, rounds, localSteps, learningRate, l2, standardise }
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
  const spec = protocol.learner as unknown as Readonly<Record<string, unknown>>
  const claims: readonly (readonly [string, string, unknown, unknown])[] = [
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
