import { count, NO_VALUE, significant } from '#base/format.ts'
import type { StatisticsResults } from '#core/learner/results.ts'
import { interval, type TextTable } from './text-table.ts'

export function statisticsTable({ variables, isPrivate }: StatisticsResults): TextTable {
  if (isPrivate) return noisyStatistics(variables)
  return {
    title: 'Statistics of all sites together',
    head: ['column', 'unit', 'n', 'missing', 'mean', 'std. dev.', 'from', '5 %', 'median', '95 %', 'to'],
    rows: variables.map(({ name, unit, present, missing, mean, sd, min, max, quantiles }) => [
      name,
      unit,
      count(present),
      count(missing),
      ...[mean, sd, min, quantiles[0], quantiles[2], quantiles[4], max].map((value) => significant(value)),
    ]),
    note: 'Counts below ten are withheld; "from" and "to" are the outermost bins with at least ten rows.',
  }
}

const noisyStatistics = (variables: StatisticsResults['variables']): TextTable => ({
  title: 'Statistics of all sites together',
  head: ['column', 'unit', 'n', 'missing', 'mean', '95 % interval', 'std. dev.', 'from', '5 %', 'median', '95 %', 'to'],
  rows: variables.map(({ name, unit, present, missing, mean, sd, min, max, quantiles, ci95 }) => [
    name,
    unit,
    ...[present, missing].map((value) => (value === null ? NO_VALUE : count(Math.round(value)))),
    significant(mean),
    interval(ci95?.mean),
    ...[sd, min, quantiles[0], quantiles[2], quantiles[4], max].map((value) => significant(value)),
  ]),
  note: 'Counts carry noise, so none is withheld; one of nothing may be below 0. "From" and "to" are the outermost bins that stand clear of it.',
})
