import { modeLabel } from '#app/results/privacy-statement.ts'
import { workText } from '#app/results/results-tables.ts'
import type { ShownRound, ShownRun, ShownStudy } from '#app/study/study-show.ts'
import { bytes, chainSeconds, seconds, shortHex } from '#base/format.ts'
import { absencesText, sharesText } from './participation-text.ts'
import { protocolFacts } from './protocol-text.ts'
import { sitesIn } from './status-text.ts'
import type { Style } from './style.ts'
import { facts, table } from './table.ts'

export function studyText(study: ShownStudy, style: Style): string {
  const { protocol, problem, approved, notApproved, epoch, budgets, runs } = study
  const head = facts(
    [
      ['published by', study.publisher],
      ...(protocol === null ? [['mode', modeLabel(study.mode)] as const] : protocolFacts(protocol)),
      ['digest', study.digest],
      ['approved by', approved.join(', ') || 'nobody yet'],
      ['not by', notApproved.join(', ') || null],
      ['key epoch', epoch === null ? 'no key drawn yet' : `${epoch.number}, for ${epoch.members.join(', ')}${epoch.due ? '; the next is due' : ''}`],
    ],
    style,
  )
  return [
    `${style.bold(`Study ${study.study}${protocol === null ? '' : `: ${protocol.title}`}`)}\n${head}`,
    ...(problem === null ? [] : [`${style.warn(problem.code)} ${problem.what}\n  → ${problem.remedy}`]),
    ...(budgets === null || budgets.length === 0 ? [] : [budgetsText(budgets, style)]),
    ...(runs.length === 0
      ? [`No run yet: rota study start ${study.study}`]
      : runs.map((run, i) => runText(run, study.study, { isLast: i === runs.length - 1, rests: protocol?.cohort.differencing === 'rest' }, style))),
  ].join('\n\n')
}

/** Spent is rounded up, left down: of all studies on the dataset, as the chain counts. */
const budgetsText = (budgets: NonNullable<ShownStudy['budgets']>, style: Style): string =>
  table(
    ['site', 'dataset', 'rounds charged', 'epsilon spent', 'left', 'rounds left'],
    budgets.map((b) => [
      b.site,
      shortHex(b.dataset),
      b.rounds,
      b.enforced === null ? 'beyond counting' : Math.ceil(1000 * b.enforced) / 1000,
      Math.floor(1000 * b.left) / 1000,
      b.roundsLeft,
    ]),
    style,
  )

/** Who stopped it, and where it was the last, what a data scientist does about it. */
function haltText({ halted }: ShownRun, study: number, { isLast, rests }: About, style: Style): string[] {
  if (halted === null) return []
  const by = halted.by ?? 'a site'
  if (halted.reason !== 'cohortChanged') return [`Halted by ${by} (${halted.reason}).`]
  const next = `${style.bold(`rota study start ${study}`)} fits it again with those who consent then; ${rests ? 'where few differ from an earlier run, some patients rest.' : 'a site whose patients who train, or who test, differ by fewer than ten from an earlier run stays out.'}`
  return [`Halted by ${by}, ${rests ? 'for a site ' : ''}whose patients changed${isLast ? `: ${next}` : '.'}`]
}

interface About {
  /** The study's last run. */
  readonly isLast: boolean
  /** Whoever leads halts a run, for others. */
  readonly rests: boolean
}

function runText(run: ShownRun, study: number, about: About, style: Style): string {
  const now =
    run.state === 'Active'
      ? `; round ${run.round} in phase ${run.phase}, led by ${run.leader}${run.awaited.length > 0 ? `, waits for ${run.awaited.join(', ')}` : ''}`
      : ''
  const rows = run.rounds.map((r) => [
    r.round,
    r.state,
    r.leader,
    sitesIn(r),
    r.missing.join(', ') || null,
    remarks(r) || null,
    clock(r.openedAt),
    chainSeconds(r.seconds),
    bytes(r.here?.bytesIn),
    bytes(r.here?.bytesOut),
    r.here?.trainMs == null ? null : seconds(r.here.trainMs / 1000),
    r.here === null ? null : workText(r.here.workMs),
    shortHex(r.modelRoot),
  ])
  return [
    `${style.accent(style.bold(`Run ${run.run}`))} ${run.state}, ${run.closedRounds} rounds closed${now}`,
    ...haltText(run, study, about, style),
    table(['round', 'state', 'leader', 'sites in', 'missing', 'remarks', 'opened', 'took', 'in', 'out', 'training', 'work', 'model'], rows, style, 40),
    ...(run.participation.shares.length === 0 ? [] : ['', 'Who did what', sharesText(run.participation, style)]),
    ...(run.participation.absences.length === 0 ? [] : ['', absencesText(run.participation.absences, style)]),
  ].join('\n')
}

/** Why somebody was not in comes first: a table that is cut keeps it. */
const remarks = ({ state, absent, discarded, leftOut }: ShownRound): string =>
  [
    ...leftOut.map((group) => `the group of ${group.join(', ')} is left out`),
    ...(state === 'refused' ? ['the base was kept'] : []),
    ...absent.map(({ site, why }) => `${site}: ${why}`),
    ...discarded.map((site) => `the sum of ${site} was thrown out`),
  ].join('; ')

const clock = (chainSeconds: number): string => new Date(chainSeconds * 1000).toISOString().slice(11, 19)
