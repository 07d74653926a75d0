import { resolve } from 'node:path'
import { openFeatures } from '#adapters/cohort/read-features.ts'
import { type ChosenModel, chooseModel } from '#app/node/run-choice.ts'
import { readMapping } from '#app/protocol/mapping-file.ts'
import { writeText } from '#app/results/results-csv.ts'
import { type AtSite, atSite, consentedNow } from '#app/site/at-site.ts'
import type { StudyCall } from '#app/study/studies.ts'
import { RotaError } from '#base/errors.ts'
import type { RunId } from '#base/ids.ts'
import { hasOwnIntercepts, ownIntercept, type Predictor, predictorOf } from '#core/learner/predict.ts'

export interface PredictCall extends StudyCall {
  readonly run: string | undefined
  readonly data: string
  /** Undefined: the text is given back, and nothing is written. */
  readonly outFile: string | undefined
  readonly column: string
}

export interface Predictions {
  readonly run: RunId
  readonly column: string
  /** What the column holds: a probability of the label, or its expected value in its unit. */
  readonly means: string
  readonly rows: number
  /** Rows without a prediction, since a feature is empty there. */
  readonly left: number
  readonly file: string | null
  readonly text: string
}

/**
 * The file with one column more. The model, the mapping and the rows stay where they are: this machine predicts.
 * @throws ROTA-1213 to 1216, 3xxx
 */
export const predictFile = (call: PredictCall): Promise<Predictions> =>
  atSite(call, async (site) => {
    const chosen = await chooseModel(site, call.run, call.signal)
    const { config, paths } = site.folder
    const mapping = await readMapping(config.data.mapping === undefined ? null : resolve(paths.folder, config.data.mapping), chosen.protocol)
    const predict = await predictor(site, chosen)
    const { columns, delimiter, rows } = await openFeatures(call.data, mapping, chosen.protocol)
    if (columns.includes(call.column)) throw new RotaError('ROTA-1216', { file: call.data, column: call.column })
    const lines = [lineOf([...columns, call.column], delimiter)]
    let left = 0
    for await (const { cells, features } of rows) {
      if (features === null) left += 1
      lines.push(lineOf([...cells, features === null ? '' : String(predict(features))], delimiter))
    }
    const text = lines.join('')
    if (call.outFile !== undefined) await writeText(call.outFile, text)
    return { run: chosen.run, column: call.column, means: meaning(chosen), rows: lines.length - 1, left, file: call.outFile ?? null, text }
  })

async function predictor(site: AtSite, { run, model, protocol }: ChosenModel): Promise<Predictor> {
  const own = hasOwnIntercepts(protocol) ? ownIntercept(model, protocol, (await consentedNow(site, protocol)).table.train) : null
  const found = predictorOf(model, protocol, own)
  if (found !== null) return found
  if (protocol.learner.kind === 'statistics')
    throw new RotaError('ROTA-1215', { run, reason: 'a study of statistics fits no model', remedy: 'Show it with `rota model show`.' })
  if (hasOwnIntercepts(protocol) && own === null)
    throw new RotaError('ROTA-1215', {
      run,
      reason: 'the private intercept of this site has no finite value',
      remedy: 'A site whose rows have one outcome only needs a model with a common intercept.',
    })
  throw new RotaError('ROTA-1215', {
    run,
    reason: `it is at its stage ${model.stage}`,
    remedy: 'Wait until the run has fitted something: `rota study show` tells how far it is.',
  })
}

const meaning = ({ protocol: { label, learner } }: ChosenModel): string =>
  label.kind === 'binary' && learner.kind !== 'linear'
    ? `probability of ${label.name}`
    : `expected ${label.name}${label.unit === '1' ? '' : ` in ${label.unit}`}`

/** Cells as they came, quoted where the separator or RFC 4180 asks for it. */
const lineOf = (cells: readonly string[], delimiter: string): string =>
  `${cells.map((cell) => (cell.includes(delimiter) || /["\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(delimiter)}\n`
