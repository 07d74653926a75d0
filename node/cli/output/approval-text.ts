import type { ApprovalPreview, DataPreview } from '#app/protocol/approval-preview.ts'
import { count } from '#base/format.ts'
import { protocolFacts } from './protocol-text.ts'
import type { Style } from './style.ts'
import { facts, table } from './table.ts'

type Data = Exclude<DataPreview, { problem: unknown }>

/** What the steward reads before the yes. */
export function approvalText(preview: ApprovalPreview, style: Style): string {
  const { study, publisher, protocol, terms, digest, data, changes } = preview
  return [
    style.bold(`Study ${study}: ${protocol.title}`),
    facts([['published by', publisher], ...protocolFacts(protocol), ['digest', digest]], style),
    ...termsText(terms, style),
    style.accent(style.bold('What it would touch here')),
    dataText(data, style),
    style.accent(style.bold('What changed')),
    changesText(changes, style),
  ].join('\n')
}

function termsText(terms: ApprovalPreview['terms'], style: Style): readonly string[] {
  if (terms === null) return [style.warn('The programme has no terms on chain: patients are told by this hospital alone.')]
  const { version, lawfulBasis, expires, problem } = terms
  const told = `Patients were told version ${version} of the programme's terms (${lawfulBasis}, until ${expires}): rota programme show`
  return [told, ...(problem === null ? [] : [`${style.bad(problem.code)} ${problem.what}\n  → ${problem.remedy}`])]
}

export function dataText(data: DataPreview, style: Style): string {
  if ('problem' in data) return `${style.bad(data.problem.code)} ${data.problem.what}\n  → ${data.problem.remedy}`
  const columns = table(
    ['feature', 'column here', 'unit', 'how', 'empty', 'out of range', 'unreadable'],
    data.columns.map((c) => [c.name, c.column, c.unit, c.coded ? 'by codes' : c.converted ? 'converted' : 'as it is', c.missing, c.outOfRange, c.notReadable]),
    style,
  )
  return [
    rowsText(data),
    columns,
    untouched(data),
    ...problems(data, style),
    data.ready ? style.good('The data fit the protocol.') : style.bad('The data do not fit the protocol yet.'),
  ]
    .filter((line) => line !== '')
    .join('\n')
}

const rowsText = ({ file, rows, patientNamedBy }: Data): string =>
  `${file}: ${count(rows.train)} train rows, ${count(rows.test)} test rows${rows.dropped > 0 ? `, ${count(rows.dropped)} left out by the rule for missing values` : ''}${rows.withProblems > 0 ? `, ${count(rows.withProblems)} with problems` : ''}; ${patientNamedBy === 'column' ? 'a column' : 'the line'} names the patient.`

const untouched = (data: Data): string => (data.untouched.length === 0 ? '' : `Not touched: ${data.untouched.join(', ')}`)

const problems = (data: Data, style: Style): string[] =>
  data.problems.map(({ code, what, remedy, count: times }) => `${style.bad(code)} ${what}${times > 1 ? ` (${count(times)} times)` : ''}\n  → ${remedy}`)

function changesText(changes: ApprovalPreview['changes'], style: Style): string {
  if (changes === null) return 'This site has approved no other protocol.'
  if (changes.list.length === 0) return `Nothing, compared with study ${changes.since}.`
  return [
    `Compared with study ${changes.since}, which this site approved last:`,
    table(
      ['what', 'before', 'now'],
      changes.list.map(({ path, before, after }) => [path, before, after]),
      style,
      48,
    ),
  ].join('\n')
}
