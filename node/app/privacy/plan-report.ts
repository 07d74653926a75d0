import { definitions, escapeHtml, htmlTable, page, section } from '#app/results/report-markup.ts'
import type { DryRun } from './dry-run.ts'
import { dryRunSection } from './dry-run-report.ts'
import type { PrivacyPlan } from './plan.ts'
import { spentChart } from './plan-chart.ts'
import { planFacts, spentTable, targetTable } from './plan-tables.ts'

/** The plan as one page to print or keep: no script, no font, no picture from elsewhere. */
export function planHtml(plan: PrivacyPlan, dry: DryRun | null = null): string {
  const title = `Privacy plan: epsilon ${plan.epsilon} for ${plan.cohort} patients`
  return page(
    title,
    [
      `<header><h1>${escapeHtml(title)}</h1><p>Patient-level differential privacy of one site's part in a study.</p></header>`,
      section('What it takes', definitions(planFacts(plan))),
      section('What is spent', spentChart(plan), htmlTable(spentTable(plan))),
      ...(dry === null ? [] : [dryRunSection(dry)]),
      section('Other promises', htmlTable(targetTable(plan))),
      section('What this shows, and what it does not', lists(plan, dry !== null)),
    ].join('\n'),
  )
}

const SHOWN = [
  'With this noise, whoever sees every sum of the study learns hardly more about one patient than without that patient: any event is at most e^epsilon times as likely, but for a chance of delta.',
  'It holds for one patient with all rows of that patient, at one site, and adds up with what other studies spend on the same data.',
  'Epsilon is bounded from above everywhere on this page.',
]

const notShown = ({ samplingRate }: PrivacyPlan, isTried: boolean): readonly string[] => [
  ...(samplingRate < 1
    ? ['That patients are drawn as this counts on: each on its own with the same probability in every step. Shuffled batches leak more.']
    : []),
  isTried
    ? 'How good the model of all sites will be: the dry run is of this file alone.'
    : 'How good the model will be. The noise on the mean beside the clip norm is a first hint: well below 1 divided by the root of the number of weights it is hardly seen.',
  'That a site clips and adds noise as it says. That is declared by the site; the chain refuses what is declared beyond the limit.',
  'Privacy of patients who are at several sites: what those sites spend adds up.',
]

function lists(plan: PrivacyPlan, isTried: boolean): string {
  const bullets = (items: readonly string[]): string => `<ul>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join('')}</ul>`
  return `<div class="two"><div><h3>Shown</h3>${bullets(SHOWN)}</div><div><h3>Not shown</h3>${bullets(notShown(plan, isTried))}</div></div>`
}
