import { roundedUp } from '#app/privacy/bare-questions.ts'
import type { DryRun } from '#app/privacy/dry-run.ts'
import { dryRunTable } from '#app/privacy/dry-run-report.ts'
import type { PrivacyPlan } from '#app/privacy/plan.ts'
import { planFacts, spentTable, targetTable } from '#app/privacy/plan-tables.ts'
import type { PrivacyStatus } from '#app/privacy/status.ts'
import type { TextTable } from '#app/results/results-tables.ts'
import { NO_VALUE, shortHex } from '#base/format.ts'
import type { Style } from './style.ts'
import { facts, table } from './table.ts'

export function planText(plan: PrivacyPlan, dry: DryRun | null, file: string | null, style: Style): string {
  return [
    facts(planFacts(plan), style),
    tableText(spentTable(plan, 10), style),
    tableText(targetTable(plan), style),
    ...(dry === null ? [] : [tableText(dryRunTable(dry), style)]),
    ...(file === null ? [] : [`Written: ${file}`]),
  ].join('\n\n')
}

const roundedDown = (x: number): string => String(Math.floor(1000 * x) / 1000)

const tableText = ({ title, head, rows, note }: TextTable, style: Style): string =>
  [style.bold(title), table(head, rows, style), ...(note === undefined ? [] : [style.dim(note)])].join('\n')

/** Spent is rounded up, left down. */
export function statusText({ budgets, unknown }: PrivacyStatus, style: Style): string {
  const rows = budgets.map((b) => [
    b.site,
    b.name ?? shortHex(b.dataset),
    b.title === '' ? String(b.study) : `${b.study}: ${b.title}`,
    String(b.rounds),
    b.enforced === null ? 'beyond counting' : roundedUp(b.enforced),
    b.tight === null ? NO_VALUE : roundedUp(b.tight),
    String(b.limit),
    roundedDown(b.left),
    b.leftTight === null ? NO_VALUE : roundedDown(b.leftTight),
    String(b.roundsLeft),
    b.delta.toExponential(),
  ])
  const head = ['site', 'dataset', 'study', 'rounds', 'spent (RDP)', 'spent (PRV)', 'limit', 'left (RDP)', 'left (PRV)', 'rounds left', 'at delta']
  const known =
    rows.length === 0
      ? 'No study with differential privacy: nothing is charged, and nothing is promised.'
      : [
          table(head, rows, style, 40),
          style.dim(
            'Epsilon of all studies on the dataset. The chain refuses by RDP; PRV is tight. Rounds are those charged for the study, void ones among them.',
          ),
        ].join('\n')
  return [known, ...(unknown.length === 0 ? [] : [style.warn(`Not on this disk yet: the protocol of study ${unknown.join(', ')}`)])].join('\n')
}
