import { command } from '../command-file.ts'
import { choice, flag, list, number, text, whole } from '../options.ts'
import { generatedRows, studyOptions } from '../study-options.ts'

export const audit_privacy = command({
  name: 'audit privacy',
  group: 'Audit',
  summary: 'attack a study as an outsider would, and compare what is found with what is promised',
  description: `Runs attacks twice on the rows of the smallest site, with the study's protection and without it, by the functions that nodes run: inversion (a patient
rebuilt from a vector), loss and likelihood (who was trained on), property (what a small cohort has more of), canary (a lower bound on epsilon) and differencing
(two runs, one patient less). An attack that fails without protection gives no clearance. Each line reads declared, enforced, evidenced. Ends with 1 unless
what is promised holds. Rows and study as in rota simulate; only on a machine that may hold the rows.`,
  options: {
    ...studyOptions,
    ...generatedRows(256, 'generated rows, cohorts and coins (default 1); noise is never seeded'),
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
