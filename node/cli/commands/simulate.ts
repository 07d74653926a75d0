import { command } from '../command-file.ts'
import { choice, flag, list, number, text, whole } from '../options.ts'
import { generatedRows, studyOptions } from '../study-options.ts'

export const simulate = command({
  name: 'simulate',
  group: 'Start here',
  summary: 'train a model over all sites of a file, on this machine',
  description: `Plays whole runs in one process with the code that nodes run: the same protocol and rows give the same models, byte for byte, as
hospitals get over the network. FILE.csv has the columns site, optionally set (train or test), the features, and the label.
Without a protocol, one is drafted from the columns: valid ranges are taken from the data and rounded outwards.`,
  options: {
    ...studyOptions,
    drop: list('C,…', 'columns to leave out; as one number below 1: how likely each site drops out of each round'),
    rounds: whole('R', 'fedavg: rounds of local steps (default 100)', { from: 1, to: 100_000 }),
    localSteps: whole('E', 'fedavg: local steps in a round (default 5)', { from: 1, to: 100_000 }),
    learningRate: number('η', 'fedavg: length of a local step (default 0.5)', { from: 1e-12, to: 100 }),
    siteIntercepts: flag('newton: an intercept of its own for each site, which stays private to it'),
    standardise: choice(['pooled', 'none'], 'scale of the features that l2 acts on and coefficients are given in (default pooled)'),
    ...generatedRows(10_000, 'generated rows (default 1)'),
    mode: choice(
      ['open', 'masked', 'groups'],
      "what members see: each other's updates, the sum of all (masked: 3 to 100 sites), or the sums of groups (from 12 sites on); default open",
    ),
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
