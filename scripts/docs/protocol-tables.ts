import { z } from 'zod'
import { learnerSchema, protocolSchema } from '../../node/app/protocol/protocol-schema.ts'
import { keyTable } from './key-table.ts'

const PROTOCOL: Readonly<Record<string, string>> = {
  version: 'Of this format.',
  title: 'Names the study in lists and reports.',
  purpose: 'What the result is for, in words that a patient understands.',
  lawfulBasis: '`consent`: only patients who agreed to the programme. `opt-out`: all but those who objected.',
  programme: 'Name of the consent programme.',
  cohort: '',
  'cohort.rule': 'Which patients belong to it, in words, for stewards.',
  'cohort.minRows': 'A site with fewer train rows abstains.',
  'cohort.maxRows': 'Most train or test rows at one site. Guards the sums against overflow.',
  'cohort.differencing':
    'Exact learners: what a site does whose patients, of those who train or of those who test, are too few away from those of an earlier run. `abstain`: it stays out until ten have changed, and everybody sees that it does. `rest`: it leaves out some patients more and takes part at once; a run whose patients changed is halted by its leader, not by the site.',
  features: 'The columns that the model reads.',
  'features[].name': 'As mapping files and results name it.',
  'features[].description': 'For people.',
  'features[].unit': 'UCUM code (`mm[Hg]`, `mg/dL`, `a`); `1` for pure numbers and 0/1 flags.',
  'features[].range': 'Valid values, both ends included. A value beyond is an error, never cut off.',
  'features[].missing': 'An empty cell: refuse the file, leave the row out, or fill in a number.',
  'features[].missing.fill': 'The number, in the range.',
  label: 'What is predicted or described; never a feature.',
  'label.name': 'As mapping files and results name it.',
  'label.description': 'For people.',
  'label.unit': 'UCUM code, or `1`.',
  'label.kind': '`binary` is 0 or 1, `count` whole numbers from 0.',
  'label.range': 'Valid values; `[0, 1]` when binary.',
  learner: 'What is fitted: see the learners below.',
  arithmetic: '',
  'arithmetic.wordBits': 'Bits of a word of the sum.',
  'arithmetic.fractionBits': 'Binary digits after the point of exact sums.',
  mode: "`open`: members see each other's updates. `masked`: they see the sum alone ([privacy.md](privacy.md)); from five sites on. `groups`: they see the sums of groups, and each number of the model is in the middle of what these say ([privacy.md](privacy.md#groups)); for averaged models, from 15 sites on.",
  slices: 'Parts into which a vector above 255 KiB is cut, each added up by three sites. As many as sites is best; at most minSites.',
  minSites: 'Fewer sites cannot open a round.',
  quorum: 'Updates without which a round is void.',
  maxSites: 'Most sites that may take part; enters the overflow check.',
  limits:
    'How long a phase waits at most. Both the seconds and the blocks must have passed; each at least the number of sites + 3, that of witnessing at least 3 × `slices` + 3 where there are several.',
  ...limitTexts(['keying', 'contributing', 'witnessing', 'publishing', 'attesting']),
  maxRounds: 'A run ends after so many closed rounds, finished or not.',
  readers: 'Auditors. The key of each epoch is wrapped to them too.',
  'readers[].name': 'For people.',
  'readers[].encryptionKey': "The reader's X25519 public key, `0x` and 64 hex digits.",
  start: 'Networks only: runs go on from a model that another run left, as after `rota consent unlearn`.',
  'start.run': 'That run.',
  'start.round': 'The round that left the model.',
  'start.root': 'Root of the model, as the chain names it.',
  'start.cid': 'Digest of its CID, as the chain names it.',
  validation:
    'Where updates are hidden: before a round closes each site holds the model against its own test rows; more than half can refuse it ([how a round works](how-a-round-works.md#when-something-goes-wrong)).',
  'validation.tolerance':
    'So much may the mean loss rise in one round: log loss of a binary label, else the squared error in half ranges of the label. `none`: nobody votes.',
  'validation.minRows': 'A site with fewer test rows does not vote.',
  privacy:
    'Differential privacy: each site adds noise of its own before anything leaves it ([privacy.md](privacy.md#differential-privacy)). Without it a study has none, and says so wherever its results stand.',
  'privacy.unit': 'What is protected: a patient. A column of the site must name patients, and each has one row: a file with two of one is refused (ROTA-3009).',
  'privacy.epsilon': 'A dataset takes no further part once it would have spent more than this, at `delta`, in all studies together.',
  'privacy.delta': 'Chance that the promise does not hold: well below 1 divided by the number of patients.',
  'privacy.place':
    '`local`: each site adds all that its patients need. `distributed`: masked studies of sums alone; each site adds a share, sized for a sum of `quorum` sites less `colluders`.',
  'privacy.colluders': 'Distributed noise: members who may put their shares together.',
  'privacy.noise': 'Deviation of the noise on a sum, in units of what one patient can change it by.',
  'privacy.clip': 'L2 norm that each patient is clipped to: its gradient (networks), its row of features over their ranges with a leading 1 (regressions).',
  'privacy.samplingRate': 'Networks: probability that a patient is in a step, each drawn on its own.',
  'privacy.steps': 'Networks: steps with noise in a round.',
  'privacy.expectedBatch': 'Networks: patients that a step is expected to draw, the same number at all sites; a noisy sum is divided by it.',
  'privacy.metrics':
    'Deviation of the noise on the sums that test metrics are made from, in units of what one patient can change them by: one round after the fit, which costs as much as another ([privacy.md](privacy.md#test-metrics)). `none`: none are told, and that round is not spent.',
  'privacy.minPatients': 'A site with fewer train patients abstains; 20 at least.',
}

function limitTexts(phases: readonly string[]): Record<string, string> {
  return Object.fromEntries(phases.flatMap((phase) => [`limits.${phase}`, `limits.${phase}.seconds`, `limits.${phase}.blocks`].map((path) => [path, ''])))
}

const DEFAULTS: Readonly<Record<string, string>> = {
  'label.kind': 'what the learner needs',
  'label.range': '`[0, 1]` when binary',
  'arithmetic.wordBits': '64; neural 32',
  'arithmetic.fractionBits': '32',
  quorum: '`minSites`',
  limits: '600 s for contributing, 60 s for the others, `maxSites` + 3 blocks',
  maxRounds: 'what the learner needs, and 10 more',
  validation: 'averaging in a masked study without `privacy`: as below; else none',
  privacy: 'none',
  'privacy.noise': 'the least for all rounds and a tenth more within `epsilon`, as the chain counts',
  'privacy.colluders': 'distributed: a third of `quorum`',
  'privacy.samplingRate': '1; networks: **must be there**',
  'privacy.steps': '1; networks: `localEpochs` / `samplingRate`',
  'privacy.expectedBatch': 'networks: **must be there**',
  'privacy.metrics': 'as little as a round costs, where `noise` is left out too; else, and for statistics, `none`',
  'privacy.minPatients': '`cohort.minRows`, 20 at least',
}

/** Keys of a protocol but for the learner's own. */
export const protocolTable = (): string => keyTable(protocolSchema(z.any() as never), PROTOCOL, DEFAULTS)

const STANDARDISE = 'Scale of the features that the fit and `l2` work on.'
const L2 = 'Penalty: `l2`/2 · the squared slopes, beside the mean loss. The intercept is free.'
const KIND = ''

const LEARNERS = [
  {
    title: 'Statistics',
    about: 'Counts, means, variances, histograms and quantiles of every column. Small cells are withheld.',
    table: () => keyTable(learnerSchema('statistics', undefined), { kind: KIND, bins: 'Bins of the histograms.' }),
  },
  {
    title: 'Regression: logistic, linear or poisson by newton',
    about: 'Exact: as if all rows were in one place. With standard errors, p-values and intervals. `kind: logistic`, `linear` or `poisson`.',
    table: () =>
      keyTable(learnerSchema('logistic', 'newton'), {
        kind: KIND,
        algorithm: '`newton`',
        l2: `${L2} With it there are no standard errors.`,
        siteIntercepts: 'An intercept of its own for each site, which never leaves it.',
        standardise: STANDARDISE,
        tolerance: 'Stops when no standardised coefficient moves by more.',
        maxIterations: 'Stops after so many steps at the latest.',
      }),
  },
  {
    title: 'Logistic by fedavg',
    about: 'Local gradient steps, averaged by rows. Deterministic. `kind: logistic`, `algorithm: fedavg`.',
    table: () =>
      keyTable(learnerSchema('logistic', 'fedavg'), {
        kind: KIND,
        algorithm: 'Must be written: without it the study is exact.',
        rounds: 'Rounds of local steps.',
        localSteps: 'Full-batch gradient steps in a round.',
        learningRate: 'Length of a step.',
        l2: L2,
        standardise: STANDARDISE,
      }),
  },
  {
    title: 'Neural',
    about: 'A TensorFlow.js layers model, described in JSON, trained by FedAvg. `kind: neural`.',
    table: () =>
      keyTable(
        learnerSchema('neural', undefined),
        {
          kind: KIND,
          algorithm: '`fedavg`',
          layers: 'From the first hidden layer to the last, which has one unit.',
          'layers[].className': 'Of the layer.',
          'layers[].config': '',
          'layers[].config.units': 'Width.',
          'layers[].config.activation': '`sigmoid` in the last layer for a binary label.',
          'layers[].config.useBias': 'Whether it has a bias.',
          loss: 'Must fit the label.',
          rounds: 'Rounds of local training.',
          localEpochs: 'Passes over the rows in a round.',
          batchSize: 'Rows per step.',
          learningRate: 'Length of a step.',
          standardise: STANDARDISE,
          normBound: "A site's update is scaled down to this L2 norm.",
          fractionBits: 'Binary digits after the point, in 32-bit words.',
          seed: 'Of the initial weights, which are the same everywhere.',
        },
        { fractionBits: 'as many as fit' },
      ),
  },
] as const

/** A table per learner. */
export const learnerTables = (): string => LEARNERS.map(({ title, about, table }) => `### ${title}\n\n${about}\n\n${table()}`).join('\n\n')
