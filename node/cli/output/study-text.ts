import type { ShownRound, ShownRun, ShownStudy } from '#app/study/study-show.ts'
import { bytes, seconds, shortHex } from '#base/format.ts'
import { absencesText, sharesText } from './participation-text.ts'
import { protocolFacts } from './protocol-text.ts'
import { sitesIn, took } from './status-text.ts'
import type { Style } from './style.ts'
import { facts, table } from './table.ts'

export function studyText(study: ShownStudy, style: Style): string {
  const { protocol, problem, approved, notApproved, epoch, runs } = study
  const head = facts(
    [
      ['published by', study.publisher],
      ...(protocol === null ? [] : protocolFacts(protocol)),
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
    ...(runs.length === 0 ? [`No run yet: rota study start ${study.study}`] : runs.map((run) => runText(run, style))),
  ].join('\n\n')
}

function runText(run: ShownRun, style: Style): string {
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
    took(r.seconds),
    bytes(r.here?.bytesIn),
    bytes(r.here?.bytesOut),
    r.here?.trainMs == null ? null : seconds(r.here.trainMs / 1000),
    shortHex(r.modelRoot),
  ])
  return [
    `${style.accent(style.bold(`Run ${run.run}`))} ${run.state}, ${run.closedRounds} rounds closed${now}`,
    table(['round', 'state', 'leader', 'sites in', 'missing', 'remarks', 'opened', 'took', 'in', 'out', 'training', 'model'], rows, style, 40),
    ...(run.participation.shares.length === 0 ? [] : ['', 'Who did what', sharesText(run.participation, style)]),
    ...(run.participation.absences.length === 0 ? [] : ['', absencesText(run.participation.absences, style)]),
  ].join('\n')
}

/** Why somebody was not in comes first: a table that is cut keeps it. */
const remarks = ({ absent, discarded }: ShownRound): string =>
  [...absent.map(({ site, why }) => `${site}: ${why}`), ...discarded.map((site) => `the sum of ${site} was thrown out`)].join('; ')

const clock = (chainSeconds: number): string => new Date(chainSeconds * 1000).toISOString().slice(11, 19)
