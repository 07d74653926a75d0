import { chainSeconds } from '#base/format.ts'
import type { LearnerSpec } from '#core/protocol/protocol.ts'
import { modeLabel, privacyLabel } from './privacy-statement.ts'
import { calibrationPlot, forestPlot, rocPlot } from './report-charts.ts'
import { definitions, escapeHtml, htmlTable, page, section } from './report-markup.ts'
import { privacyOf, type ResultsView, type RoundLine } from './results.ts'
import { coefficientTable, metricsTable, shareTable, summaryOf, tablesOf } from './results-tables.ts'
import { statisticsTable } from './statistics-table.ts'

/** Everything about a result as one page to print or keep: no script, no font, no picture from elsewhere. @param more sections that were found out elsewhere */
export function reportHtml(view: ResultsView, ...more: readonly string[]): string {
  const results = [head(view), study(view), privacyPart(view, more.length > 0), estimates(view), intercepts(view), metrics(view), curves(view)]
  const parts = [...results, ...more, participation(view), rounds(view.rounds), proof(view)]
  return page(view.title, parts.filter((part) => part !== '').join('\n'))
}

function head(view: ResultsView): string {
  const { mode, privacy } = view.protocol
  const labels = [...(view.origin === 'simulation' ? ['simulated on one machine'] : []), modeLabel(mode), privacyLabel(privacy)]
  const badge = `<p>${labels.map((label) => `<span class="badge">${escapeHtml(label)}</span>`).join(' ')}</p>`
  return `<header><h1>${escapeHtml(view.title)}</h1>${summaryOf(view)
    .split('\n')
    .map((line) => `<p>${escapeHtml(line)}</p>`)
    .join('')}${badge}</header>`
}

function study({ protocol, protocolDigest }: ResultsView): string {
  const { label, features, cohort } = protocol
  return section(
    'The study',
    definitions([
      ['Purpose', protocol.purpose],
      ['Patients', `${cohort.rule}; sites with fewer than ${cohort.minRows} train rows abstain`],
      ['Lawful basis', protocol.lawfulBasis === 'consent' ? `consent to "${protocol.programme}"` : `opt-out from "${protocol.programme}"`],
      ['Predicted', [label.name, label.description].filter((text) => text !== '').join(': ')],
      ['From', features.map(({ name, unit }) => (unit === '1' ? name : `${name} (${unit})`)).join(', ')],
      ['Method', methodOf(protocol.learner)],
      ['Protocol', protocolDigest],
    ]),
  )
}

/** Three columns of trust: who says it, who would have refused, who has looked. */
function privacyPart(view: ResultsView, hasEvidence: boolean): string {
  const { label, declared, enforced, evidenced } = privacyOf(hasEvidence ? { ...view, evidenced: 'by attacks: see below' } : view)
  return section(
    'Privacy of patients',
    definitions([
      ['Promise', label],
      ['Declared', declared],
      ['Enforced', enforced],
      ['Evidenced', evidenced],
    ]),
  )
}

function methodOf(learner: LearnerSpec): string {
  if (learner.kind === 'statistics') return `summary statistics, ${learner.bins} bins`
  if (learner.kind === 'neural')
    return `neural network of ${learner.layers.length} layers, federated averaging, ${learner.rounds} rounds of ${learner.localEpochs} epochs`
  const penalty = learner.l2 > 0 ? `, L2 penalty ${learner.l2}` : ', no penalty'
  if (learner.algorithm === 'fedavg')
    return `${learner.kind} regression, federated averaging, ${learner.rounds} rounds of ${learner.localSteps} local steps at rate ${learner.learningRate}${penalty}`
  return `${learner.kind} regression, Newton's method to convergence: as if all rows lay in one place${penalty}${learner.siteIntercepts ? ', an intercept of its own for each site' : ''}`
}

function estimates({ results, truth }: ResultsView): string {
  if (results.kind === 'regression') return section('Coefficients', forestPlot(results), htmlTable(coefficientTable(results, truth)))
  return results.kind === 'statistics' ? section('Statistics', htmlTable(statisticsTable(results))) : ''
}

const intercepts = (view: ResultsView): string =>
  tablesOf(view)
    .filter(({ title }) => title === 'Private intercepts')
    .map((table) => section(table.title, htmlTable(table)))
    .join('')

const metrics = (view: ResultsView): string => (view.test === null ? '' : section('Test rows, site by site', htmlTable(metricsTable(view))))

const curves = ({ curves: known, test }: ResultsView): string =>
  known === null
    ? ''
    : section(
        'How far predictions can be trusted',
        `<div class="pair">${rocPlot(known, test?.pooled.n === known.n ? test.pooled.auc : null)}${calibrationPlot(known)}</div>`,
      )

/** Above the round log, so that nobody misses who was missing. */
function participation({ participation: known }: ResultsView): string {
  if (known === null || known.shares.length === 0) return ''
  const { absences } = known
  const told =
    absences.length === 0
      ? '<p>Every site was in every round.</p>'
      : `<ul>${absences.map((line) => `<li><strong>${escapeHtml(line)}</strong></li>`).join('')}</ul>`
  return section('Who took part', told, htmlTable(shareTable(known)))
}

function rounds(lines: readonly RoundLine[]): string {
  if (lines.length === 0) return ''
  const rows = lines.map((line) => [
    String(line.round),
    line.stage,
    line.leader,
    `${line.included.length} of ${line.included.length + line.missing.length}`,
    line.missing.join(', ') || '–',
    chainSeconds(line.seconds),
    line.modelRoot,
  ])
  const table = htmlTable({ title: '', head: ['round', 'stage', 'leader', 'sites in', 'missing', 'took', 'model after it (Merkle root)'], rows })
  return section('Round log', table).replace('<section>', '<section class="long">')
}

const SIMULATED = ['What the network would compute from these rows with this protocol: the same models, byte for byte, with the Merkle roots above.']

const CHECKED = [
  'Each round: which sites were in, who added up, which model came in and out. The chain fixed it; the leader had no choice.',
  'The sum is integer arithmetic. Whoever holds the updates gets the same bytes, and an auditor with a reader key can recompute each round: rota audit verify.',
  'Only rows of the cohorts that sites committed to went in, as far as the sites tell the truth about their own rows.',
]

const notShown = ({ mode, privacy }: ResultsView['protocol'], simulated: boolean): readonly string[] => [
  ...(simulated
    ? ['That any hospital took part: all rows lay in one file, and chain, network and clock were simulated.']
    : ['That a site used the rows that it said it used: what happens inside a hospital is declared by it.']),
  privacy !== undefined
    ? 'That a site clipped and added noise as it says: that is declared. Patients who are at several sites: what those spend adds up.'
    : mode === 'open'
      ? "Privacy against the other members: this study is open. Members can read each other's updates; nothing was masked, and no noise was added."
      : 'Privacy against what the result itself tells: no noise was added.',
  'That an effect is causal, or holds for patients unlike these.',
]

function proof({ protocol, origin }: ResultsView): string {
  const simulated = origin === 'simulation'
  const bullets = (items: readonly string[]) => `<ul>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join('')}</ul>`
  const columns = [
    `<div><h3>Can be checked</h3>${bullets(simulated ? SIMULATED : CHECKED)}</div>`,
    `<div><h3>Is not shown</h3>${bullets(notShown(protocol, simulated))}</div>`,
  ]
  return section('What this shows, and what it does not', `<div class="two">${columns.join('')}</div>`)
}
