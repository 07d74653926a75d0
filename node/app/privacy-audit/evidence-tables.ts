import { modeLabel, sentence } from '#app/results/privacy-statement.ts'
import { escapeHtml, htmlTable, page, section } from '#app/results/report-markup.ts'
import type { TextTable } from '#app/results/results-tables.ts'
import { NO_VALUE } from '#base/format.ts'
import type { Measured } from '#core/evidence/verdict.ts'
import { hidesUpdates } from '#core/protocol/protocol.ts'
import { isEpsilonMeasured, leftOutOf, type PrivacyEvidence } from './audit-privacy.ts'
import type { Evidence } from './evidence.ts'

/** With and without protection, beside the ceiling. */
export const figuresTable = ({ found }: PrivacyEvidence): TextTable => ({
  title: 'What attacks found',
  head: ['attack', 'figure', 'unprotected', 'protected', 'ceiling', 'verdict'],
  rows: found.map((row) => [nameOf(row), row.figure, measured(row.unprotected), measured(row.protected), digits(row.ceiling), row.verdict]),
  note: 'In brackets: 95 %. An attack that fails on what is not protected shows nothing about what is. Other attacks may do better: this is evidence, no proof.',
})

/** What is said, who refuses what goes beyond it, and what was measured. */
export const promisesTable = ({ found }: PrivacyEvidence): TextTable => ({
  title: 'Declared, enforced, evidenced',
  head: ['attack', 'declared', 'enforced', 'evidenced'],
  rows: found.map((row) => [nameOf(row), row.declared, row.enforced, row.evidenced]),
})

/** "Gradient inversion: …" up to the colon. */
const nameOf = ({ title }: Evidence): string => title.split(':')[0] as string

export const notesOf = ({ found, notTried }: PrivacyEvidence): readonly string[] => {
  const leftOut = leftOutOf({ found, notTried })
  return [
    ...new Set(found.map((row) => `${nameOf(row)}: ${row.note}.`)),
    ...notTried.map(({ title, why }) => `${title.split(':')[0]}: not tried, ${why}.`),
    ...(leftOut.length === 0 ? [] : [`Not asked for: ${leftOut.join(', ')}.`]),
  ]
}

export function conclusionOf({ holds, found, privacy, mode }: PrivacyEvidence): string {
  const open = [...new Set(found.filter(({ verdict }) => verdict === 'nothing promised').map(nameOf))]
  const rest = open.length === 0 ? '' : ` Nothing is promised against: ${open.join(', ')}.`
  const without = `${hidesUpdates({ mode }) ? '' : ` ${sentence(modeLabel(mode))}`}${privacy === null ? ' No differential privacy.' : ''}`
  if (holds) return `Every attack that was tried works without protection; what is promised stays under its ceiling.${rest}${without}`
  if (privacy === null && !hidesUpdates({ mode })) return `No clearance: the study promises no protection.${rest}${without}`
  const many = (verdict: Evidence['verdict']): number => found.filter((row) => row.verdict === verdict).length
  const counts = (['over its ceiling', 'too few to tell', 'the attack failed'] as const)
    .filter((verdict) => many(verdict) > 0)
    .map((verdict) => `${many(verdict)} ${verdict}`)
  const unmeasured = isEpsilonMeasured({ privacy, found }) ? [] : [`epsilon ${privacy?.epsilon} was not measured (loss, likelihood or canary)`]
  const why = [...(found.length === 0 ? ['nothing was tried'] : []), ...counts, ...unmeasured]
  return `No clearance: ${why.join(', ') || 'nothing is promised against what was tried'}.${rest}${without}`
}

/** For a study's report. */
export const evidenceSection = (evidence: PrivacyEvidence): string =>
  section(
    'Privacy: declared, enforced, evidenced',
    `<p>${escapeHtml(conclusionOf(evidence))}</p>`,
    htmlTable(promisesTable(evidence)),
    htmlTable(figuresTable(evidence)),
    `<p class="note">${escapeHtml([`Attacks on the ${evidence.patients} patients of the smallest site.`, ...notesOf(evidence)].join(' '))}</p>`,
  )

/** Where no results stand beside it. */
export const evidencePage = (evidence: PrivacyEvidence): string =>
  page(evidence.title, `<header><h1>${escapeHtml(evidence.title)}</h1></header>\n${evidenceSection(evidence)}`)

const digits = (x: number | null): string => (x === null ? NO_VALUE : x.toFixed(3).replace('-', '−'))

const measured = (x: Measured | null): string =>
  x === null ? NO_VALUE : x.low === x.high ? digits(x.value) : `${digits(x.value)} (${digits(x.low)} to ${digits(x.high)})`
