import { modeLabel } from '#app/results/privacy-statement.ts'
import type { SiteStatus } from '#app/site/site-status.ts'
import { chainSeconds, count, shortHex } from '#base/format.ts'
import { absencesText } from './participation-text.ts'
import type { Style } from './style.ts'
import { facts, table } from './table.ts'

export function statusText(status: SiteStatus, style: Style): string {
  const { site, chain, node, members, desk, studies, runs, rounds, absences, patientsResting: resting } = status
  const head = facts(
    [
      ['site', site.member ? `${site.name} (site ${site.id})${site.resting ? ', resting: rota pause --off' : ''}` : `${site.name}, not a member: rota join`],
      ['node', node === null ? 'does not run: rota run' : `${node.ok ? style.good('runs') : style.bad('runs, with trouble')}, ${node.version}`],
      ['peers', node === null ? `${members - 1} other members` : `${node.peers} of ${members - 1} connected`],
      ['chain', `${chain.url}, id ${chain.chainId}, block ${count(chain.head)}`],
      ...(resting === null
        ? []
        : [['resting', `${count(resting.patients)} patients who consent were left out of run ${resting.run}; nobody outside is told`] as const]),
      ...(desk === null ? [] : [['desk', deskText(desk, style)] as const]),
    ],
    style,
  )
  const troubles = (node?.problems ?? []).map(({ code, what }) => `${style.bad(code)} ${what}`)
  return [
    [head, ...troubles].join('\n'),
    studies.length === 0
      ? 'No studies yet'
      : table(
          ['study', 'title', 'mode', 'approved here', 'approved by'],
          studies.map((s) => [s.study, s.title ?? '(not here yet)', modeLabel(s.mode), s.approvedHere ? 'yes' : 'no', `${s.approved}, needs ${s.needed}`]),
          style,
        ),
    runs.length === 0
      ? 'No run is under way'
      : table(
          ['run', 'study', 'state', 'round', 'phase', 'leader', 'waits for'],
          runs.map((r) => [r.run, r.study, r.state, r.round, r.phase, r.leader, r.awaited.join(', ') || null]),
          style,
        ),
    ...(rounds.length === 0 ? [] : [roundsTable(rounds, style)]),
    ...absences.map(({ run, lines }) => `${style.bold(`Run ${run}`)}\n${absencesText(lines, style)}`),
  ].join('\n\n')
}

/** Who was stopped, the sealed log says: names do not belong on this screen. */
function deskText({ url, looks, limited, limitedAt }: NonNullable<SiteStatus['desk']>, style: Style): string {
  const stopped = limitedAt === null ? '' : `; ${style.bad(`${count(limited)} stopped at the limit of looks`)}, last ${limitedAt}`
  return `${url}, ${count(looks)} looks at people within a day${stopped}`
}

export const roundsTable = (rounds: SiteStatus['rounds'], style: Style): string =>
  table(
    ['run', 'round', 'state', 'leader', 'sites in', 'missing', 'took', 'model'],
    rounds.map((r) => [r.run, r.round, r.state, r.leader, sitesIn(r), r.missing.join(', ') || null, chainSeconds(r.seconds), shortHex(r.modelRoot)]),
    style,
  )

/** Null before the set was frozen. */
export const sitesIn = ({ included, missing }: SiteStatus['rounds'][number]): string | null =>
  included.length === 0 ? null : `${included.length} of ${included.length + missing.length}`
