import { choice, list, number, text, whole } from './options.ts'

/** Which study is rehearsed on rows that are all here: a protocol, or what one would say. */
export const studyOptions = {
  data: text('FILE.csv', 'rows of all sites in one file'),
  protocol: text('FILE', "a study's protocol (YAML); the options below that describe the study then do not apply"),
  learner: choice(['logistic', 'linear', 'poisson', 'statistics'], 'what is fitted (default logistic)'),
  algorithm: choice(['newton', 'fedavg'], 'exact, or averaging of local steps (default newton)'),
  label: text('C', 'column to predict (default label)'),
  drop: list('C,…', 'columns to leave out'),
  minRows: whole('N', 'smaller sites are left out and named (default 10)', { from: 1 }),
  l2: number('λ', 'penalty: λ/2·‖w‖² on the slopes, the intercept is free (default 0)', { from: 0, to: 1e6 }),
}

/** Rows that are made, for who has none at hand. @param seeds what else is drawn from the seed */
export const generatedRows = (mostSites: number, seeds: string) => ({
  sites: whole('N', 'generate the rows of N sites, instead of --data', { from: 1, to: mostSites }),
  rows: whole('M', 'generated rows per site (default 200)', { from: 10, to: 1_000_000 }),
  seed: whole('S', `seed of ${seeds}`, { from: 0 }),
})
