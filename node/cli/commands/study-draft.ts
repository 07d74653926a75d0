import { command } from '../command-file.ts'
import { needed } from '../needed.ts'
import { choice, list, text, whole } from '../options.ts'

export const study_draft = command({
  name: 'study draft',
  group: 'Studies',
  summary: 'write a commented protocol from the columns of a file',
  description: `What the columns show is filled in (ranges rounded outwards, missing values, flags); what only people know is marked "fill in". Without --out the
protocol goes to standard output. Go through every line before publishing: stewards approve its digest.`,
  options: {
    data: text('FILE.csv', "one site's rows"),
    out: text('FILE.yaml', 'where to (default: standard output)'),
    label: text('C', 'column to predict (default: label or outcome, else the last with numbers)'),
    learner: choice(['logistic', 'linear', 'poisson', 'statistics'], 'what is fitted (default: by the label)'),
    algorithm: choice(['newton', 'fedavg'], 'exact, or averaging of local steps (default newton)'),
    drop: list('C,…', 'columns to leave out'),
    patient: text('C', 'column that names the patient'),
    title: text('TEXT', "the study's title"),
    minSites: whole('N', 'fewest sites of a run (default 3)', { from: 1, to: 256 }),
    maxSites: whole('N', 'most sites of the study (default 16)', { from: 1, to: 256 }),
    minRows: whole('N', 'a site with fewer train rows abstains (default 10)', { from: 1 }),
  },
  example: 'rota study draft --data cleveland.csv --label label --out protocol.yaml',
  async run({ options, out }) {
    const { draftStudy } = await import('#app/protocol/study-draft.ts')
    const { text: yaml, ...told } = await draftStudy({ ...options, data: needed('study draft', '--data', options.data), outFile: options.out })
    out.result(told.file === null ? { ...told, protocol: yaml } : told, () =>
      told.file === null ? yaml.trimEnd() : `Written: ${told.file}\nNext: go through every line, then rota study publish ${told.file} --folder DIR`,
    )
  },
})
