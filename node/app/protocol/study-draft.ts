import { existsSync } from 'node:fs'
import { writeText } from '#app/results/results-csv.ts'
import { RotaError } from '#base/errors.ts'
import { type DraftOptions, draftProtocol } from './draft-protocol.ts'

export interface DraftCall {
  readonly data: string
  /** Undefined: the text is given back, and nothing is written. */
  readonly outFile: string | undefined
  readonly label: string | undefined
  readonly learner: 'logistic' | 'linear' | 'poisson' | 'statistics' | undefined
  readonly algorithm: 'newton' | 'fedavg' | undefined
  readonly drop: readonly string[]
  readonly patient: string | undefined
  readonly title: string | undefined
  readonly minSites: number | undefined
  readonly maxSites: number | undefined
  readonly minRows: number | undefined
}

/** @throws ROTA-3xxx the data, ROTA-1220 the file exists: people have written in it */
export async function draftStudy(call: DraftCall): Promise<{ readonly file: string | null; readonly text: string }> {
  if (call.outFile !== undefined && existsSync(call.outFile)) throw new RotaError('ROTA-1220', { file: call.outFile })
  const { data, outFile, learner, algorithm, ...rest } = call
  const options: DraftOptions = {
    ...rest,
    ...(learner === undefined && algorithm === undefined ? {} : { learner: learnerOf(learner ?? 'logistic', algorithm) }),
  }
  const text = await draftProtocol(data, options)
  if (outFile !== undefined) await writeText(outFile, text)
  return { file: outFile ?? null, text }
}

/** The keys that a person will want to see; the others have their defaults. @throws ROTA-1102 fedavg of another than the logistic model */
function learnerOf(kind: NonNullable<DraftCall['learner']>, algorithm: DraftCall['algorithm']): NonNullable<DraftOptions['learner']> {
  if (kind === 'statistics') return { kind, bins: 40 }
  if (algorithm !== 'fedavg') return { kind, algorithm: 'newton', l2: 0, siteIntercepts: false, standardise: 'pooled' }
  if (kind !== 'logistic') throw new RotaError('ROTA-1102', { option: '--algorithm fedavg', other: `--learner ${kind}` })
  return { kind, algorithm, rounds: 100, localSteps: 5, learningRate: 0.5, l2: 0.01, standardise: 'pooled' }
}
