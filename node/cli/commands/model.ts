import { command } from '../command-file.ts'
import { needed } from '../needed.ts'
import { text } from '../options.ts'
import { passwordFrom, siteOptions } from '../site-options.ts'

const run = text('N', 'the run (default: the newest finished one)')

export const model_list = command({
  name: 'model list',
  group: 'Studies',
  summary: 'list the models of all runs, and which of them are here',
  options: siteOptions,
  example: 'rota model list --folder ./cleveland',
  async run({ options, out, signal }) {
    const { listModels } = await import('#app/model/model-list.ts')
    const { modelListText } = await import('#cli/output/model-text.ts')
    const models = await listModels({ folder: options.folder, password: passwordFrom(options), signal })
    out.result({ models }, () => modelListText(models, out.style))
  },
})

export const model_show = command({
  name: 'model show',
  group: 'Studies',
  summary: 'show the results of a run, and what its model is worth at this site',
  description: `Coefficients, ratios, 95 % intervals and p-values of all sites together, and metrics of all test rows. This site's own rows are judged with the
joint model and with the model that the site would have alone: worked out here, from rows that never leave.`,
  arguments: '[run]',
  options: {
    ...siteOptions,
    csv: text('FILE', 'write the coefficients as CSV'),
    report: text('FILE', 'write everything as one printable HTML page'),
    evidence: text('FILE', "with --report: what rota audit privacy --json found about this study's protocol"),
  },
  example: ['rota model show --folder ./cleveland', 'rota model show 3 --folder ./cleveland --csv coefficients.csv --report result.html'],
  async run({ options, args, out, signal }) {
    const { showModel } = await import('#app/model/model-show.ts')
    const { modelAnswer } = await import('#app/model/model-answer.ts')
    const { writeResults } = await import('#app/results/results-files.ts')
    const { modelText } = await import('#cli/output/model-text.ts')
    const progress = out.progress('Model')
    try {
      const shown = await showModel({ folder: options.folder, password: passwordFrom(options), signal }, args[0], (step) => progress.update(step))
      const written = await writeResults(shown.view, options)
      progress.done()
      out.result(modelAnswer(shown), () => modelText(shown, written, out.style))
    } finally {
      progress.done()
    }
  },
})

export const model_export = command({
  name: 'model export',
  group: 'Studies',
  summary: 'write a model as JSON, for use in other programs',
  options: { ...siteOptions, run, out: text('FILE', 'where to') },
  example: 'rota model export --folder ./cleveland --out model.json',
  async run({ options, out, signal }) {
    const { exportModel } = await import('#app/model/model-export.ts')
    const file = needed('model export', '--out', options.out)
    const made = await exportModel({ folder: options.folder, password: passwordFrom(options), signal, run: options.run, outFile: file })
    out.result(
      { file, run: made.run, study: made.study, modelRoot: made.modelRoot, protocolDigest: made.protocolDigest },
      () => `Written: ${file} (run ${made.run}, model ${made.modelRoot})`,
    )
  },
})

export const model_predict = command({
  name: 'model predict',
  group: 'Studies',
  summary: 'add a column of predictions to a file',
  description: `Needs the study's features, by the site's mapping file: same columns, codes and units as its own data. Without --out the file with its new
column goes to standard output. Everything happens on this machine.`,
  options: {
    ...siteOptions,
    run,
    data: text('FILE.csv', 'rows to predict for'),
    out: text('FILE.csv', 'where to (default: standard output)'),
    column: text('NAME', "the new column's name", 'prediction'),
  },
  example: 'rota model predict --folder ./cleveland --data new-patients.csv --out predicted.csv',
  async run({ options, out, signal }) {
    const { predictFile } = await import('#app/model/model-predict.ts')
    const { predictionsText } = await import('#cli/output/model-text.ts')
    const { text: csv, ...told } = await predictFile({
      folder: options.folder,
      password: passwordFrom(options),
      signal,
      run: options.run,
      data: needed('model predict', '--data', options.data),
      outFile: options.out,
      column: options.column,
    })
    out.result(told.file === null ? { ...told, text: csv } : told, () => (told.file === null ? csv.trimEnd() : predictionsText(told)))
  },
})
