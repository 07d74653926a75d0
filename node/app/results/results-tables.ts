import type { NamedParticipation, NamedShare } from '#app/audit/participation.ts'
import { bytes, chainSeconds, count, fixed, NO_VALUE, percent, pValue, seconds, shortHex, significant } from '#base/format.ts'
import type { RegressionResults } from '#core/learner/results.ts'
import { modeLabel, privacyLabel, sentence } from './privacy-statement.ts'
import type { Alone, Metrics, ResultsView, RoundLine } from './results.ts'
import { statisticsTable } from './statistics-table.ts'
import { interval, type TextTable } from './text-table.ts'

export type { TextTable } from './text-table.ts'

/** All tables that a view has something for, in reading order. */
export function tablesOf(view: ResultsView): readonly TextTable[] {
  const { results } = view
  return [
    ...(results.kind === 'regression' ? [coefficientTable(results, view.truth)] : []),
    ...(results.kind === 'statistics' ? [statisticsTable(results)] : []),
    ...(view.siteIntercepts === null ? [] : [interceptTable(view.siteIntercepts)]),
    ...(view.test === null ? [] : [metricsTable(view)]),
    ...(view.rounds.length === 0 ? [] : [roundTable(view.rounds)]),
  ]
}

/** One line a column: coefficient, its ratio with interval where it has one, p. */
export function coefficientTable(results: RegressionResults, truth: ResultsView['truth'] = null): TextTable {
  const { columns, coef, se, ci95, ratio, ratioCi95, p, raw } = results
  const ratioName = results.learner.startsWith('poisson') ? 'rate ratio' : 'odds ratio'
  const head = [
    'column',
    'coefficient',
    'std. error',
    ...(ratio === null ? ['95 % interval'] : [ratioName, '95 % interval']),
    'p',
    'per unit',
    ...(truth === null ? [] : ['true']),
  ]
  const rows = columns.map((column, j) => [
    column,
    fixed(coef[j], 4),
    fixed(se?.[j], 4),
    ...(ratio === null ? [interval(ci95?.[j])] : [fixed(ratio[j], 3), interval(ratioCi95?.[j])]),
    pValue(p?.[j]),
    significant(raw.coef[j]),
    ...(truth === null ? [] : [significant(truth.coef[truth.columns.indexOf(column)])]),
  ])
  return { title: 'Coefficients', head, rows, note: coefficientNote(results) }
}

function coefficientNote({ std, se, isPrivate }: RegressionResults): string {
  if (std.every((s) => s === 1)) return `Coefficients are per unit of each column.${uncertainty(se, isPrivate)}`
  const per = isPrivate ? "half of each column's range" : 'standard deviation of all sites together'
  return `Coefficients and ratios are per ${per}; "per unit" is on the scale of the data.${uncertainty(se, isPrivate)}`
}

function uncertainty(se: RegressionResults['se'], isPrivate: boolean): string {
  if (isPrivate) return se === null ? ' No intervals: the noise is too much to say, or there is a penalty.' : ' Intervals are of rows and noise together.'
  return se === null ? ' Standard errors have no meaning under a penalty or averaging.' : ''
}

const interceptTable = (intercepts: Readonly<Record<string, number | null>>): TextTable => ({
  title: 'Private intercepts',
  head: ['site', 'intercept'],
  rows: Object.entries(intercepts).map(([site, value]) => [site, fixed(value, 4)]),
  note: 'Each is known to its own site only. A site with one outcome has none.',
})

/** Each site's test rows, with the joint model and with the site's own. */
export function metricsTable({ test, told, alone }: Pick<ResultsView, 'test' | 'told' | 'alone'>): TextTable {
  const { pooled, sites } = test ?? { pooled: { n: 0, accuracy: null, auc: null, logLoss: null }, sites: {} }
  const binary = pooled.rmse === undefined
  const shown = (metrics: Metrics | undefined): string[] =>
    binary ? [percent(metrics?.accuracy), fixed(metrics?.auc, 3), fixed(metrics?.logLoss, 3)] : [significant(metrics?.rmse), fixed(metrics?.r2, 3)]
  const names = binary ? ['accuracy', 'AUC', 'log loss'] : ['rms error', 'R²']
  const own = (site: string): string[] => (alone === null ? [] : shown(alone[site]?.own))
  const nobody = alone === null ? [] : names.map(() => NO_VALUE)
  const notes = [
    ...(alone === null ? [] : ['"Alone": the same learner with the rows of that site only, on its own test rows.', ...withoutModel(alone)]),
    ...(told === null ? [] : [NOISY]),
  ]
  return {
    title: 'Test rows',
    head: ['site', 'n', ...names, ...(alone === null ? [] : names.map((name) => `${name} alone`))],
    rows: [
      ...Object.entries(sites).map(([site, metrics]) => [site, count(metrics.n), ...shown(metrics), ...own(site)]),
      // Without noise they are all known in a simulation alone.
      ...(pooled.ci95 === undefined ? [['all sites', count(pooled.n), ...shown(pooled), ...nobody]] : []),
      ...(told === null
        ? []
        : [
            ['all sites, noisy', atLeastNone(told.n), ...shown(told), ...nobody],
            ['95 %', ...intervals(told, binary), ...nobody],
          ]),
    ],
    ...(notes.length === 0 ? {} : { note: notes.join(' ') }),
  }
}

const NOISY =
  '"Noisy": as the study tells it, under differential privacy; 95 % intervals are of rows and noise together, and where noise drowns a number there is none.'

const atLeastNone = (n: number): string => count(Math.max(0, n))

function intervals({ ci95 = {} }: Metrics, isBinary: boolean): string[] {
  const between = (key: keyof typeof ci95, text: (x: number) => string): string => {
    const ends = ci95[key] ?? null
    return ends === null ? NO_VALUE : `${text(ends[0])} to ${text(ends[1])}`
  }
  const n = between('n', atLeastNone)
  if (!isBinary) return [n, between('rmse', significant), between('r2', (x) => fixed(x, 3))]
  return [n, between('accuracy', percent), between('auc', (x) => fixed(x, 3)), between('logLoss', (x) => fixed(x, 3))]
}

const withoutModel = (alone: Readonly<Record<string, Alone>>): string[] => {
  const sites = Object.entries(alone).filter(([, { problem }]) => problem !== undefined)
  return sites.length === 0 ? [] : [`No model of their own: ${sites.map(([site, { problem }]) => `${site} (${problem?.slice(0, 9)})`).join(', ')}.`]
}

const roundTable = (rounds: readonly RoundLine[]): TextTable => ({
  title: 'Rounds',
  head: ['round', 'stage', 'leader', 'sites in', 'took', 'model after it'],
  rows: folded(rounds).map((line) =>
    line === null
      ? ['…', '', '', '', '', '']
      : [
          String(line.round),
          line.stage,
          line.leader,
          `${line.included.length} of ${line.included.length + line.missing.length}`,
          chainSeconds(line.seconds),
          shortHex(line.modelRoot),
        ],
  ),
})

/** Each site's share of the rounds. Bytes and seconds of work are known to the site itself alone. */
export const shareTable = ({ shares }: NamedParticipation): TextTable => ({
  title: '',
  head: [
    'site',
    'rounds in',
    'missing',
    'abstained',
    'led',
    'published',
    'passed over',
    'witnessed',
    'attested',
    'update after',
    'bytes in',
    'bytes out',
    'training',
    'work',
  ],
  rows: shares.map((s) => [
    s.site,
    `${s.in} of ${s.rounds}`,
    ...[s.missing, s.abstained, s.led, s.published, s.passedOver, s.witnessed, s.attested].map(String),
    chainSeconds(s.contributedAfter),
    ...loadOf(s).map((cell) => cell.replace(/, told$/, '*')),
  ]),
  ...(shares.some(({ told }) => told !== null) ? { note: '* as that site told itself' } : {}),
})

/** Own numbers as they are; another site's as told by itself. */
export function loadOf({ here, told }: NamedShare): readonly [string, string, string, string] {
  if (here !== null) return [bytes(here.bytesIn), bytes(here.bytesOut), seconds(here.trainMs / 1000), workText(here.workMs)]
  if (told === null) return ['not known here', NO_VALUE, NO_VALUE, NO_VALUE]
  const work = told.workSeconds === undefined ? NO_VALUE : `≤ ${seconds(told.workSeconds)}, told`
  return [`${bytes(told.bytesIn)}, told`, `${bytes(told.bytesOut)}, told`, `≤ ${seconds(told.trainSeconds)}, told`, work]
}

/** Processor time, as a site noted it itself. */
export const workText = (workMs: number | undefined): string => (workMs === undefined ? NO_VALUE : seconds(workMs / 1000))

const MOST_LINES = 24

/** The first and the last of many. */
const folded = (rounds: readonly RoundLine[]): readonly (RoundLine | null)[] =>
  rounds.length <= MOST_LINES ? rounds : [...rounds.slice(0, MOST_LINES / 2), null, ...rounds.slice(-MOST_LINES / 2)]

/** The line or two above all tables. */
export function summaryOf({ results, protocol, rounds, leftOut, test }: ResultsView, traffic: number | null = null): string {
  const { learner } = protocol
  const name = 'algorithm' in learner ? `${learner.kind} by ${learner.algorithm}` : learner.kind
  const sites = new Set(rounds.flatMap(({ included }) => included)).size
  const parts = [
    `${name}${results.converged ? '' : ' (did not settle)'}`,
    ...(sites > 0 ? [`${sites} sites`] : []),
    ...(results.rows === null ? [] : [`${count(results.rows)} train rows`]),
    ...(test === null ? [] : [`${test.pooled.ci95 === undefined ? '' : 'about '}${atLeastNone(test.pooled.n)} test rows`]),
    ...(rounds.length > 0 ? [`${rounds.length} rounds`] : []),
    ...(traffic === null ? [] : [`${bytes(traffic)} sent per site and round`]),
  ]
  return [
    parts.join(', '),
    `${sentence(modeLabel(protocol.mode))} ${sentence(privacyLabel(protocol.privacy))}`,
    ...(leftOut.length > 0 ? [`Left out, too few rows: ${leftOut.join(', ')}.`] : []),
  ].join('\n')
}
