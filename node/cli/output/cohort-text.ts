import type { OpeningVerdict } from '#app/audit/audit-cohort.ts'
import type { AuditedSample, CohortQuestion } from '#app/audit/audit-sample.ts'
import type { CohortOpening } from '#app/consent/consent-open.ts'
import type { CohortSample } from '#app/consent/consent-sample.ts'
import { count, counted } from '#base/format.ts'
import { clean } from './clean.ts'
import type { Style } from './style.ts'

export function openedText({ run, round, secrets, granted }: CohortOpening, style: Style): string {
  const within = granted === null ? 'no consent stood on chain then' : `${count(granted.entries.length)} consents stood in epoch ${granted.epoch}`
  return `The cohort of round ${round} of run ${run}: ${counted(secrets.length, 'member')}; ${within}.\nWith --json > FILE it is written down for an auditor: ${style.bold('rota audit cohort --opening FILE')}`
}

export function drawnText({ run, round, seed, drawn }: CohortSample, style: Style): string {
  const members = drawn.filter((entry) => !('pad' in entry)).length
  const by = seed === null ? 'by the hash of a block' : 'by the seed of the question'
  const check = `rota audit cohort --sample FILE ${seed === null ? `--draws ${drawn.length}` : '--question FILE'}`
  return `Of the cohort of round ${round} of run ${run}, drawn ${by}: ${counted(members, 'member')}, ${count(drawn.length - members)} times padding.\nWith --json > FILE it is written down for an auditor: ${style.bold(check)}`
}

export function questionText({ site, run, round, draws, seed }: CohortQuestion, style: Style): string {
  return `To site ${site}: open ${counted(draws, 'place')} of the cohort of round ${round} of run ${run}, drawn by ${seed}.\nWith --json > FILE it is written down for the site (${style.bold('rota consent open --question FILE')}) and for the check of its answer.`
}

export function cohortText({ holds, site, run, round, members, withoutConsent, faults }: OpeningVerdict, style: Style): string {
  const head = `Cohort of site ${site} in round ${round} of run ${run}: ${members} members${withoutConsent > 0 ? `, ${withoutConsent} of them without a standing consent` : ''}.`
  return [head, ...faults.map((fault) => style.bad(fault)), holds ? style.good('It holds: nobody in it had withdrawn.') : style.bad('It does not hold.')].join(
    '\n',
  )
}

export function sampleText(
  { holds, programme, site, run, round, drawn, members, chances, leastFound, coinBlock, faults }: AuditedSample,
  style: Style,
): string {
  const by = coinBlock === null ? 'by your seed' : `by the hash of block ${coinBlock}`
  const head = `Cohort of site ${site} in round ${round} of run ${run}, under "${clean(programme)}": ${drawn} drawn ${by}, ${members} of them members.`
  if (members === 0 && faults.length === 0)
    return `${head}\n${style.warn('No member was drawn: this shows nothing. Draw more, or have the whole cohort opened.')}`
  if (!holds) return [head, ...faults.map((fault) => style.bad(fault)), style.bad('It does not hold.')].join('\n')
  return [
    head,
    style.good('Each of these had a consent that stood and had not withdrawn.'),
    'This is evidence, not certainty. Had some of the cohort been wrong, such a sample would have shown it:',
    ...(coinBlock === null ? [] : ['(if the round, and how many were to be drawn, were named to the hospital beforehand)']),
    ...chances.map(({ share, caught }) => `  ${chance(share)} of its members wrong: in ${chance(caught)} of cases`),
    `A share of ${atMost(leastFound)} or more would have been found in 95 % of cases. The whole cohort is certain: rota consent open without --draws.`,
  ].join('\n')
}

/** Chances rather too small than too large, so that no 99.96 % reads as certain; shares the other way. */
const chance = (share: number): string => `${Math.floor(1_000 * share + 1e-9) / 10} %`
const atMost = (share: number): string => `${Math.ceil(1_000 * share - 1e-9) / 10} %`
