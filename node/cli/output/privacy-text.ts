import type { PrivacyPlan } from '#app/privacy/plan.ts'
import { planFacts, spentTable, targetTable } from '#app/privacy/plan-tables.ts'
import type { TextTable } from '#app/results/results-tables.ts'
import type { Style } from './style.ts'
import { facts, table } from './table.ts'

export function planText(plan: PrivacyPlan, file: string | null, style: Style): string {
  return [
    facts(planFacts(plan), style),
    tableText(spentTable(plan, 10), style),
    tableText(targetTable(plan), style),
    ...(file === null ? [] : [`Written: ${file}`]),
  ].join('\n\n')
}

const tableText = ({ title, head, rows, note }: TextTable, style: Style): string =>
  [style.bold(title), table(head, rows, style), ...(note === undefined ? [] : [style.dim(note)])].join('\n')
