import type { CanaryRow } from '#app/canary.ts'
import type { ToldCanary } from '#app/canary-call.ts'
import type { StartedRun } from '#app/studies.ts'
import { bytes, fixed, percent, seconds } from '#base/format.ts'
import type { Style } from './style.ts'
import { table } from './table.ts'

interface Problem {
  readonly code: string
  readonly what: string
  readonly remedy: string
}

/** A row a member, then the phases with what they need and what they have, then what to do. */
export function canaryText(canary: ToldCanary, problem: Problem | null, style: Style): string {
  const { rows, limits, vectorBytes, shortfalls, study, clock, file } = canary
  const members = table(
    ['site', 'answer', 'route', 'round trip', 'clock', 'to here', 'from here', 'store write', 'store read', 'disk used', 'trains in', 'backend', 'build'],
    rows.map((row) => [
      row.name,
      answerOf(row, style),
      ...linkCells(row),
      rate(row.writeBytesPerSecond),
      rate(row.readBytesPerSecond),
      diskOf(row),
      trainsIn(row),
      row.backend || null,
      buildOf(row, style),
    ]),
    style,
  )
  const phases = table(
    ['phase', 'takes at least', 'slowest', 'limit now', 'proposed'],
    limits.map(({ phase, needsSeconds, slowest, now, proposed }) => [
      needsSeconds !== null && needsSeconds > now.seconds ? style.bad(phase) : phase,
      needsSeconds === null ? 'not measured' : seconds(needsSeconds),
      slowest,
      `${now.seconds} s, ${now.blocks} blocks`,
      `${proposed.seconds} s, ${proposed.blocks} blocks`,
    ]),
    style,
  )
  return [
    `Study ${study}, updates of ${bytes(vectorBytes)}`,
    members,
    phases,
    shortfalls.length > 0
      ? [
          ...shortfalls.map((line) => `${style.bad('✗')} ${line}`),
          `A run could not finish so: rota study start ${study} refuses it. rota canary ${study} --out FILE.yaml writes limits that hold.`,
        ].join('\n')
      : `${style.good('✓')} The limits hold for all that was measured`,
    ...(file === null ? [] : [`Written: ${file}\nNext: rota study publish ${file} --folder DIR`]),
    ...[clock, problem].flatMap((told) => (told === null ? [] : [`${style.bad(told.code)} ${told.what}\n  ${style.dim('→')} ${told.remedy}`])),
  ].join('\n\n')
}

/** The answer of `study start`, and whether anybody looked before. */
export function startText(study: number, { run, sites, canary }: StartedRun, style: Style): string {
  const opened = `Run ${style.bold(String(run))} is open, with ${sites.length} sites`
  if (canary === null) return `${opened}\nNo canary was run for it here: rota canary ${study} tells whether the limits hold at every site`
  const despite = canary.shortfalls.map((line) => `${style.warn('!')} ${line}`)
  const unknown = canary.unanswered.length > 0 ? [`${style.warn('!')} not measured: ${canary.unanswered.join(', ')}`] : []
  return [opened, ...despite, ...unknown].join('\n')
}

function answerOf({ here, problem, approved }: CanaryRow, style: Style): string {
  if (here) return 'here'
  if (problem !== null) return style.bad(problem)
  return approved ? style.good('yes') : 'yes, not in the study'
}

const linkCells = ({ link }: CanaryRow): readonly (string | null)[] =>
  link === null
    ? [null, null, null, null, null]
    : [link.route, `${fixed(link.rttMs, 0)} ms`, `${fixed(link.clockOffsetMs / 1000, 1)} s`, rate(link.downBytesPerSecond), rate(link.upBytesPerSecond)]

const rate = (bytesPerSecond: number | null): string | null => (bytesPerSecond === null ? null : `${bytes(bytesPerSecond)}/s`)
const diskOf = ({ diskUsed }: CanaryRow): string | null => (diskUsed === null ? null : percent(diskUsed, 0))

const WHY_NOT: Readonly<Record<Exclude<CanaryRow['whyNot'], ''>, string>> = {
  notApproved: 'not approved',
  noProtocol: 'protocol not there yet',
  otherProtocol: 'sees another protocol',
  belowMinRows: 'too few rows: abstains',
  dataError: 'data do not fit: abstains',
  busy: 'busy with a run',
  failed: 'not measured',
}

function trainsIn({ trainSeconds, whyNot, here, problem }: CanaryRow): string | null {
  if (trainSeconds === null) return whyNot === '' || problem !== null ? null : WHY_NOT[whyNot]
  return here ? seconds(trainSeconds) : `≤ ${seconds(trainSeconds)}`
}

const buildOf = ({ software, sameArithmetic }: CanaryRow, style: Style): string | null =>
  software === null ? null : sameArithmetic === false ? style.bad(`${software}, other numbers`) : software
