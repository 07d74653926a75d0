import type { NamedParticipation } from '#app/audit/participation.ts'
import { loadOf } from '#app/results/results-tables.ts'
import { seconds } from '#base/format.ts'
import type { Style } from './style.ts'
import { table } from './table.ts'

/** What must not be overlooked: a line for each site that was missing, abstained or was passed over. Empty when there is none. */
export const absencesText = (absences: readonly string[], style: Style): string => absences.map((line) => `${style.warn('!')} ${line}`).join('\n')

/** Each site's share of a run's rounds. */
export const sharesText = ({ shares }: NamedParticipation, style: Style): string =>
  table(
    ['site', 'rounds in', 'missing', 'abstained', 'led', 'published', 'passed over', 'witnessed', 'attested', 'update after', 'in', 'out', 'training', 'work'],
    shares.map((s) => [
      s.site,
      `${s.in} of ${s.rounds}`,
      s.missing,
      s.abstained,
      s.led,
      s.published,
      s.passedOver,
      s.witnessed,
      s.attested,
      s.contributedAfter === null ? null : s.contributedAfter === 0 ? '< 1 s' : seconds(s.contributedAfter),
      ...loadOf(s),
    ]),
    style,
  )
