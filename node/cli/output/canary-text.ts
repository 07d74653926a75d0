import { slowestIn } from '#app/canary/canary.ts'
import type { ToldCanary } from '#app/canary/canary-call.ts'
import { isMeasuredOnce, shortPhases } from '#app/canary/canary-limits.ts'
import type { CanaryRow } from '#app/canary/canary-rows.ts'
import { slowestWay, type Way } from '#app/canary/canary-ways.ts'
import type { StartedRun } from '#app/study/studies.ts'
import { bytes, fixed, percent, seconds } from '#base/format.ts'
import type { Style } from './style.ts'
import { table } from './table.ts'

interface Problem {
  readonly code: string
  readonly what: string
  readonly remedy: string
}

/** A row a member, the ways between them, the round, then the phases with what they need and what they have, then what to do. */
export function canaryText(canary: ToldCanary, problems: readonly Problem[], style: Style): string {
  const { vectorBytes, shortfalls, study, clock, file } = canary
  return [
    `Study ${study}, updates of ${bytes(vectorBytes)}`,
    membersTable(canary, style),
    waysText(canary, style),
    roundText(canary, style),
    limitsTable(canary, style),
    shortfalls.length > 0
      ? [
          ...shortfalls.map((line) => `${style.bad('✗')} ${line}`),
          `A run could not finish so: rota study start ${study} refuses it.${areShort(canary) ? ` rota canary ${study} --out FILE.yaml writes limits that hold.` : ''}`,
        ].join('\n')
      : `${style.good('✓')} The limits hold for all that was measured`,
    ...(file === null ? [] : [`Written: ${file}\nNext: rota study publish ${file} --folder DIR`]),
    ...[clock, ...problems].flatMap((told) => (told === null ? [] : [`${style.bad(told.code)} ${told.what}\n  ${style.dim('→')} ${told.remedy}`])),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

const areShort = ({ limits }: ToldCanary): boolean => shortPhases(limits).length > 0

const membersTable = ({ rows }: ToldCanary, style: Style): string =>
  table(
    ['site', 'answer', 'route', 'round trip', 'clock', 'store write', 'store read', 'disk used', 'trains in', 'backend', 'build'],
    rows.map((row) => [
      row.name,
      answerOf(row, style),
      row.route,
      row.rttMs === null ? null : `${fixed(row.rttMs, 1)} ms`,
      row.clockOffsetMs === null ? null : `${fixed(row.clockOffsetMs / 1000, 1)} s`,
      rate(row.writeBytesPerSecond),
      rate(row.readBytesPerSecond),
      diskOf(row),
      trainsIn(row),
      row.backend || null,
      buildOf(row, style),
    ]),
    style,
  )

/** Of more sites the matrix is wider than a screen: then each one's slowest ways are told; --json has all. */
const WIDEST_MATRIX = 8

function waysText({ rows, ways }: ToldCanary, style: Style): string {
  if (ways.length === 0) return ''
  const sites = rows.filter(({ site }) => ways.some(({ from }) => from === site))
  const name = (site: number): string => rows.find((row) => row.site === site)?.name ?? `site ${site}`
  const slowest = slowestWay(ways)
  const told =
    slowest === null ? '' : `\nSlowest way: from ${style.bold(name(slowest.from))} to ${style.bold(name(slowest.to))}, ${rate(slowest.bytesPerSecond)}`
  const matrix = () =>
    table(
      ['from', ...sites.map((row) => `to ${row.name}`)],
      sites.map((from) => [
        from.name,
        ...sites.map((to) =>
          wayCell(
            ways.find((way) => way.from === from.site && way.to === to.site),
            style,
          ),
        ),
      ]),
      style,
    )
  const list = () =>
    table(
      ['from', 'slowest way', 'speed', 'round trip', 'not measured'],
      sites.map(({ site, name: from }) => {
        const mine = ways.filter((way) => way.from === site)
        const worst = slowestWay(mine)
        const unknown = mine.filter(({ problem }) => problem !== null).map(({ to }) => name(to))
        return [from, worst === null ? null : `to ${name(worst.to)}`, rate(worst?.bytesPerSecond ?? null), roundTrip(worst), unknown.join(', ') || null]
      }),
      style,
    )
  return `${sites.length <= WIDEST_MATRIX ? matrix() : list()}${told}`
}

function wayCell(way: Way | undefined, style: Style): string | null {
  if (way === undefined) return null
  return way.bytesPerSecond === null
    ? style.bad(way.problem ?? '?')
    : `${rate(way.bytesPerSecond)}, ${roundTrip(way)}${way.route === 'relayed' ? ', relayed' : ''}`
}

const roundTrip = (way: Way | null): string | null => (way?.rttMs === null || way === null ? null : `${fixed(way.rttMs, 1)} ms`)

const STEPS = { contribute: 'contribute, but training', witness: 'witness', tell: 'add up', publish: 'publish', attest: 'attest' } as const
const NOT_PLAYED =
  'Not played: transactions and their blocks, gossip, the learner’s own step on the sum, keys of the study, masks and their keys, a leader’s replacement when it is silent.'

function roundText({ rows, round }: ToldCanary, style: Style): string {
  if (round === null) return `${style.warn('!')} No round was played: fewer than two sites could have taken part`
  const name = (site: number): string => rows.find((row) => row.site === site)?.name ?? `site ${site}`
  const { rota, included, closed, steps, wrong } = round
  const outcome = wrong.length > 0 ? style.bad('wrong sum') : closed ? style.good('right sum, closed') : style.bad('did not close')
  const by = (what: 'sum' | 'attestation'): string => [...new Set(wrong.filter((each) => each.what === what).map(({ site }) => name(site)))].join(', ')
  const head = `A round over made-up updates: ${name(rota[0] ?? -1)} leads, ${included.length} of ${rota.length} updates in, ${outcome}`
  const phases = table(
    ['step', 'took', 'slowest site', 'its time'],
    steps.map((step) => {
      const slowest = slowestIn(step)
      return [STEPS[step.step], seconds(step.seconds), slowest === null ? null : name(slowest.site), slowest === null ? null : seconds(slowest.seconds)]
    }),
    style,
  )
  return [
    head,
    phases,
    ...(by('sum') === '' ? [] : [`${style.bad('✗')} published another sum than the known one: ${by('sum')}`]),
    ...(by('attestation') === '' ? [] : [`${style.bad('✗')} attested what it could not have come to: ${by('attestation')}`]),
    style.dim(NOT_PLAYED),
  ].join('\n')
}

const limitsTable = ({ limits }: ToldCanary, style: Style): string =>
  table(
    ['phase', 'takes at least', 'slowest', 'limit now', 'proposed', ''],
    limits.map(({ phase, needsSeconds, slowest, now, proposed, reckoned }) => [
      needsSeconds !== null && needsSeconds > now.seconds ? style.bad(phase) : phase,
      needsSeconds === null ? 'not measured' : seconds(needsSeconds),
      slowest,
      `${now.seconds} s, ${now.blocks} blocks`,
      `${proposed.seconds} s, ${proposed.blocks} blocks`,
      reckoned === undefined || needsSeconds === null ? '' : reckoned === 'all' ? 'reckoned, not measured' : 'unmasking reckoned, not measured',
    ]),
    style,
  )

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
  const told = here ? seconds(trainSeconds) : `≤ ${seconds(trainSeconds)}`
  return isMeasuredOnce(trainSeconds) ? `${told}, once` : told
}

const buildOf = ({ software, sameArithmetic }: CanaryRow, style: Style): string | null =>
  software === null ? null : sameArithmetic === false ? style.bad(`${software}, other numbers`) : software
