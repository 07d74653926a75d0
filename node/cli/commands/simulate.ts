import { command } from '../command-file.ts'
import { choice, flag, list, number, text, whole } from '../options.ts'

export const simulate = command({
  name: 'simulate',
  group: 'Start here',
  summary: 'train a model over all sites of a file, on this machine',
  description: `Plays whole runs in one process with the code that nodes run: the same protocol and rows give the same models, byte for byte, as
hospitals get over the network. FILE.csv has the columns site, optionally set (train or test), the features, and the label.
Without a protocol, one is drafted from the columns: valid ranges are taken from the data and rounded outwards.`,
  options: {
    data: text('FILE.csv', 'rows of all sites in one file'),
    protocol: text('FILE', "a study's protocol (YAML); the options below that describe the study then do not apply"),
    learner: choice(['logistic', 'linear', 'poisson', 'statistics'], 'what is fitted (default logistic)'),
    algorithm: choice(['newton', 'fedavg'], 'exact, or averaging of local steps (default newton)'),
    label: text('C', 'column to predict (default label)'),
    drop: list('C,…', 'columns to leave out; as one number below 1: how likely each site drops out of each round'),
    minRows: whole('N', 'smaller sites are left out and named (default 10)', { from: 1 }),
    rounds: whole('R', 'fedavg: rounds of local steps (default 100)', { from: 1, to: 100_000 }),
    localSteps: whole('E', 'fedavg: local steps in a round (default 5)', { from: 1, to: 100_000 }),
    learningRate: number('η', 'fedavg: length of a local step (default 0.5)', { from: 1e-12, to: 100 }),
    l2: number('λ', 'penalty: λ/2·‖w‖² on the slopes, the intercept is free (default 0)', { from: 0, to: 1e6 }),
    siteIntercepts: flag('newton: an intercept of its own for each site, which stays private to it'),
    standardise: choice(['pooled', 'none'], 'scale of the features that l2 acts on and coefficients are given in (default pooled)'),
    sites: whole('N', 'generate the rows of N sites, instead of --data', { from: 1, to: 10_000 }),
    rows: whole('M', 'generated rows per site (default 200)', { from: 10, to: 1_000_000 }),
    seed: whole('S', 'seed of generated rows (default 1)', { from: 0 }),
    mode: choice(['open', 'masked', 'groups'], "what members see: each other's updates, or the sum alone (masked: 3 to 100 sites; default open)"),
    csv: text('FILE', 'write the coefficients as CSV'),
    report: text('FILE', 'write everything as one printable HTML page'),
  },
  example: ['rota simulate --data hospitals.csv --l2 0.01 --report result.html', 'rota simulate --sites 23 --rows 500 --seed 7 --json'],
  async run({ options, out, signal }) {
    const { readDrop } = await import('#app/simulate/simulate-options.ts')
    const { simulateApart } = await import('#app/simulate/simulate-apart.ts')
    const { writeResults } = await import('#app/results/results-files.ts')
    const { simulationText } = await import('#cli/output/simulation-text.ts')
    const progress = out.progress('Simulating')
    try {
      const simulation = await simulateApart(readDrop(options), { signal, onRound: (text) => progress.update(text) })
      const written = await writeResults(simulation.view, options)
      progress.done()
      out.result(simulation.answer, () => simulationText(simulation, written, out.style))
    } finally {
      progress.done()
    }
  },
})
