import type { AuditReport, Fault, ToldLog } from '#app/audit/audit.ts'
import { absencesText } from './participation-text.ts'
import type { Style } from './style.ts'
import { table } from './table.ts'

/** What an audit found, for people: a line a round, then every fault in full. */
export function auditText(report: AuditReport, style: Style): string {
  const rows = report.rounds.map((round) => [
    round.run,
    round.round,
    round.leader,
    round.included.join(' '),
    short(round.sumRoot),
    short(round.modelRoot),
    verdictText(round.verdict, style),
  ])
  if (rows.length === 0 && report.ok) return ['No round has ended with a model yet: there is nothing to verify.', ...section(report.notes)].join('\n')
  const rounds =
    rows.length === 0 ? 'No round has ended with a model yet.' : table(['run', 'round', 'leader', 'sites in', 'sum', 'model', 'verdict'], rows, style)
  const faults = report.faults.map((fault) => `${style.bad('✗')} ${faultText(fault)}`)
  const still = report.rounds
    .filter((round) => isMasked(round.verdict))
    .map((round) => `${style.bad('✗')} run ${round.run} round ${round.round}: ${round.verdict}`)
  const notes = report.notes.map((note) => style.dim(`• ${note}`))
  return [rounds, ...section(faults), ...section(still), ...section(notes), '', conclusion(report, style)].join('\n')
}

const short = (digest: string | null): string | null => digest && `${digest.slice(0, 10)}…`

const section = (lines: readonly string[]): readonly string[] => (lines.length === 0 ? [] : ['', ...lines])

function verdictText(verdict: string, style: Style): string {
  if (verdict.startsWith('does not hold')) return style.bad('does not hold')
  if (isMasked(verdict)) return style.bad('masks not taken off')
  return verdict.startsWith('attested') ? style.warn(verdict) : style.good(verdict)
}

const isMasked = (verdict: string): boolean => verdict.startsWith('masks not taken off')

const faultText = (fault: Fault): string => `run ${fault.run} round ${fault.round}: ${fault.message}`

function conclusion({ ok, rounds }: AuditReport, style: Style): string {
  const broken = rounds.filter((round) => round.verdict.startsWith('does not hold')).length
  const attested = rounds.filter((round) => round.verdict.startsWith('attested')).length
  const masked = rounds.filter((round) => isMasked(round.verdict)).length
  if (!ok && broken === 0 && masked > 0)
    return style.bad(`The masks of ${masked} of ${rounds.length} rounds could not be taken off: what sites released is missing.`)
  if (!ok && broken === 0) return style.bad(`${attested} of ${rounds.length} rounds could not be recomputed; --strict asks that each is.`)
  if (!ok) return style.bad(`${broken} of ${rounds.length} rounds do not hold.`)
  const rest = attested > 0 ? `, ${attested} of them as far as the chain alone shows` : ''
  return style.good(`All ${rounds.length} rounds hold${rest}.`)
}

/** Events line by line, then what they say of each run. */
export function logText({ lines, runs }: ToldLog, style: Style): string {
  const events = lines.map(({ place, text }) => `${style.dim(place)}  ${text}`)
  const told = runs.flatMap(({ run, rounds, absences }) => {
    const ended = rounds.filter(({ state }) => state !== 'open').length
    if (absences.length > 0) return [`${style.bold(`Run ${run}`)}\n${absencesText(absences, style)}`]
    return ended === 0 ? [] : [`${style.bold(`Run ${run}`)}: every site was in every one of its ${ended} rounds`]
  })
  return [...events, ...(told.length === 0 ? [] : ['', ...told])].join('\n')
}
