import { command } from '../command-file.ts'
import { needed } from '../needed.ts'
import { choice, list, number, text, whole } from '../options.ts'

const accountant = choice(['prv', 'rdp'], 'prv is tight, rdp is what adds up and is enforced', 'prv')
const samplingRate = number('q', 'probability that one patient is in one step: expected batch / patients')
const steps = whole('T', 'steps with noise: rounds × local steps')
const delta = number('δ', 'chance that the promise does not hold: well below 1 / patients')

export const privacy_epsilon = command({
  name: 'privacy epsilon',
  group: 'Studies',
  summary: 'count the epsilon that noise and steps come to',
  description: `Patient-level differential privacy of sums with Gaussian noise over patients who are drawn each on their own in every step (Poisson sampling;
shuffled batches leak more). The answer is an upper bound, and with prv a tight one: docs/privacy-accounting.md.`,
  options: {
    samplingRate,
    noise: number('σ', 'standard deviation of the noise, in clip norms'),
    steps,
    delta,
    accountant,
  },
  example: 'rota privacy epsilon --sampling-rate 0.04 --noise 1.5 --steps 2250 --delta 1e-5',
  async run({ options, out }) {
    const { deltaText, epsilonFor, roundedUp } = await import('#app/privacy/bare-questions.ts')
    const name = 'privacy epsilon'
    const question = {
      samplingRate: needed(name, '--sampling-rate', options.samplingRate),
      noise: needed(name, '--noise', options.noise),
      steps: needed(name, '--steps', options.steps),
      delta: needed(name, '--delta', options.delta),
    }
    const epsilon = epsilonFor(question, options.accountant)
    out.result({ epsilon }, () => `epsilon ${out.style.bold(roundedUp(epsilon))} at delta ${deltaText(question.delta)}`)
  },
})

export const privacy_noise = command({
  name: 'privacy noise',
  group: 'Studies',
  summary: 'find the least noise that keeps a promise of epsilon and delta',
  description: `The other way round from rota privacy epsilon: the standard deviation of the noise in clip norms, never less than is needed and at most a
thousandth more.`,
  options: {
    epsilon: number('ε', 'the promise'),
    samplingRate,
    steps,
    delta,
    accountant,
  },
  example: 'rota privacy noise --epsilon 3 --sampling-rate 0.04 --steps 2250 --delta 1e-5',
  async run({ options, out }) {
    const { noiseOf, roundedUp } = await import('#app/privacy/bare-questions.ts')
    const name = 'privacy noise'
    const target = {
      epsilon: needed(name, '--epsilon', options.epsilon),
      samplingRate: needed(name, '--sampling-rate', options.samplingRate),
      steps: needed(name, '--steps', options.steps),
      delta: needed(name, '--delta', options.delta),
    }
    const noise = noiseOf(target, options.accountant)
    out.result({ noise }, () => `noise ${out.style.bold(roundedUp(noise))} × the clip norm`)
  },
})

export const privacy_plan = command({
  name: 'privacy plan',
  group: 'Studies',
  summary: 'plan the noise of a study for a cohort, and see what each round spends',
  description: `For one site: which noise keeps the promise over all rounds, the epsilon after each of them (tight, by RDP, and as the chain counts), and what other
promises would take. Test metrics of all sites cost as much as a round of the fit. Counted by RDP, which the chain enforces, unless --accountant says prv. With --data what accuracy to expect: a dry run on the site's own rows,
which stay here. With --report also as a page to print, with plots.`,
  options: {
    cohort: whole('N', 'patients at the site, 20 or more (with --data: those of the file)'),
    rounds: whole('R', 'rounds of the fit'),
    metrics: choice(['noisy', 'none'], 'test metrics of all sites: one round more, or none', 'noisy'),
    epsilon: number('ε', 'the promise at the end of the study'),
    delta,
    localSteps: whole('E', 'steps with noise in one round', {}, 1),
    batch: number('B', 'patients expected in one step (default: all)'),
    accountant: choice(['rdp', 'prv'], 'by which the noise is found', 'rdp'),
    data: text('FILE.csv', "the site's own rows, for a dry run"),
    label: text('C', 'with --data: column to predict (default: label or outcome, else the last one of numbers)'),
    drop: list('C,…', 'with --data: columns to leave out'),
    report: text('FILE', 'write the plan as one printable HTML page'),
  },
  example: [
    'rota privacy plan --cohort 300 --rounds 20 --epsilon 3 --delta 1e-4 --report plan.html',
    'rota privacy plan --data ours.csv --rounds 3 --epsilon 3 --delta 1e-4',
  ],
  async run({ options, out }) {
    const { planPrivacy } = await import('#app/privacy/plan.ts')
    const { planText } = await import('#cli/output/privacy-text.ts')
    const name = 'privacy plan'
    const trial = options.data === undefined ? null : await import('#app/privacy/dry-run.ts')
    const own = trial === null ? null : await trial.readOwnRows(options.data as string, options)
    const cohort = needed(name, '--cohort', options.cohort ?? own?.patients)
    const question = {
      cohort,
      rounds: needed(name, '--rounds', options.rounds),
      metrics: options.metrics === 'noisy',
      localSteps: options.localSteps,
      batch: options.batch ?? cohort,
      epsilon: needed(name, '--epsilon', options.epsilon),
      delta: needed(name, '--delta', options.delta),
      accountant: options.accountant,
    }
    const progress = out.progress('Planning')
    try {
      const plan = planPrivacy(question, (step) => progress.update(step))
      const dry = own === null || trial === null ? null : trial.dryRun(own, plan, (step) => progress.update(step))
      if (options.report !== undefined) {
        const { planHtml } = await import('#app/privacy/plan-report.ts')
        const { writeText } = await import('#app/results/results-csv.ts')
        await writeText(options.report, planHtml(plan, dry))
      }
      progress.done()
      out.result({ ...plan, dryRun: dry, report: options.report ?? null }, () => planText(plan, dry, options.report ?? null, out.style))
    } finally {
      progress.done()
    }
  },
})
