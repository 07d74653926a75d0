import { command } from '../command-file.ts'
import { choice, flag, list, number, text, whole } from '../options.ts'

export const audit_privacy = command({
  name: 'audit privacy',
  group: 'Audit',
  summary: 'attack a study as an outsider would, and compare what is found with what is promised',
  description: `Runs attacks twice on the rows of the smallest site, with the study's protection and without it, by the functions that nodes run: inversion (a patient
rebuilt from a vector), loss and likelihood (who was trained on), property (what a small cohort has more of), canary (a lower bound on epsilon) and differencing
(two runs, one patient less). An attack that fails without protection gives no clearance. Each line reads declared, enforced, evidenced. Ends with 1 unless
what is promised holds. Rows and study as in rota simulate; only on a machine that may hold the rows.`,
  options: {
    data: text('FILE.csv', 'rows of all sites in one file'),
    protocol: text('FILE', "a study's protocol (YAML); the options below that describe the study then do not apply"),
    learner: choice(['logistic', 'linear', 'poisson', 'statistics'], 'what is fitted (default logistic)'),
    algorithm: choice(['newton', 'fedavg'], 'exact, or averaging of local steps (default newton)'),
    label: text('C', 'column to predict (default label)'),
    drop: list('C,…', 'columns to leave out'),
    minRows: whole('N', 'smaller sites are left out and named (default 10)', { from: 1 }),
    l2: number('λ', 'penalty: λ/2·‖w‖² on the slopes, the intercept is free (default 0)', { from: 0, to: 1e6 }),
    sites: whole('N', 'generate the rows of N sites, instead of --data', { from: 1, to: 256 }),
    rows: whole('M', 'generated rows per site (default 200)', { from: 10, to: 1_000_000 }),
    seed: whole('S', 'seed of generated rows, cohorts and coins (default 1); noise is never seeded', { from: 0 }),
    mode: choice(['open', 'masked'], "what members see: each other's updates, or the sum alone (default open)"),
    epsilon: number('ε', 'as if the study promised this to each patient'),
    delta: number('δ', 'chance that the promise does not hold'),
    attacks: list('A,…', 'only these: inversion, matching, loss, likelihood, property, canary, differencing'),
    slow: flag('also matching: inversion by optimisation, for networks'),
    models: whole('K', 'models that membership is judged on, each with a random half of the patients', { from: 4, to: 1000 }, 64),
    trials: whole('T', 'trainings with and without the canary: more can show a larger epsilon', { from: 20, to: 100_000 }, 400),
    report: text('FILE', 'write what was found as one printable HTML page: the report of the study, which is played for it, where a protocol describes it'),
  },
  example: [
    'rota audit privacy --data hospitals.csv --protocol study.yaml',
    'rota audit privacy --sites 5 --rows 300 --mode masked --epsilon 1 --delta 1e-4 --json',
  ],
  async run({ options, out, signal }) {
    const { askPrivacy } = await import('#app/privacy-audit/privacy-question.ts')
    const { evidenceText } = await import('#cli/output/privacy-evidence-text.ts')
    const progress = out.progress('Attacking')
    try {
      const evidence = await askPrivacy(options, { signal, tell: (step) => progress.update(step) })
      progress.done()
      out.result(evidence, () => evidenceText(evidence, options.report ?? null, out.style))
      return evidence.holds ? 0 : 1
    } finally {
      progress.done()
    }
  },
})
