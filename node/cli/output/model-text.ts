import type { ListedModel } from '#app/model/model-list.ts'
import type { Predictions } from '#app/model/model-predict.ts'
import type { ShownModel } from '#app/model/model-show.ts'
import { modeLabel } from '#app/results/privacy-statement.ts'
import { count, shortHex } from '#base/format.ts'
import { resultsText } from './results-text.ts'
import type { Style } from './style.ts'
import { table } from './table.ts'

export const modelListText = (models: readonly ListedModel[], style: Style): string =>
  models.length === 0
    ? 'No run has been opened yet: rota study start STUDY'
    : table(
        ['run', 'study', 'title', 'mode', 'state', 'after round', 'stage', 'model', 'here'],
        models.map((m) => [m.run, m.study, m.title, modeLabel(m.mode), m.state, m.round ?? '(initial)', m.stage, shortHex(m.root), m.held ? 'yes' : 'no']),
        style,
        40,
      )

export function modelText({ site, chosen, view, ownProblem }: ShownModel, written: readonly string[], style: Style): string {
  const { run, view: state } = chosen
  const problem = view.results.problem
  return [
    resultsText(view, style),
    '',
    ...(problem === null ? [] : [style.bad(`${problem.code}: the fit has no result${problem.columns.length > 0 ? ` (${problem.columns.join(', ')})` : ''}.`)]),
    ...(ownProblem === null ? [] : [`${style.warn(ownProblem.code)} The rows of ${site} could not be judged: ${ownProblem.what}\n  → ${ownProblem.remedy}`]),
    style.dim(`Run ${run} of study ${state.study} (${state.state}), model ${state.model.root}, protocol ${view.protocolDigest}.`),
    ...written.map((file) => `Written: ${file}`),
  ].join('\n')
}

export const predictionsText = ({ file, rows, left, column, means, run }: Omit<Predictions, 'text'>): string =>
  [
    `Written: ${file}, ${count(rows)} rows; ${column} is the ${means} by the model of run ${run}.`,
    ...(left > 0 ? [`${count(left)} rows have no prediction: a feature is empty there.`] : []),
  ].join('\n')
