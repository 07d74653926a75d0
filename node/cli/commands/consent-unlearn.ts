import { RotaError } from '#base/errors.ts'
import { runId } from '#base/ids.ts'
import { command } from '../command-file.ts'
import { needed } from '../needed.ts'
import { text, whole } from '../options.ts'
import { passwordFrom, siteOptions } from '../site-options.ts'

export const consent_unlearn = command({
  name: 'consent unlearn',
  group: 'Consent',
  summary: 'bring about a model that a withdrawn record had no part in, and certify it',
  description: `Exact studies are fitted again (a new run, under the rule that keeps two results from showing one patient); networks go back to the last model before the
record was first used, as a study of its own that stewards approve, and train on from there. Call it again to go on: it says what is next, and once that run is
over it writes the certificate (--json, into a file): method, rounds, digests, and how well an attack tells the withdrawn records from others before and after.
The model of --run stays what it is.`,
  options: {
    ...siteOptions,
    receipt: text('FILE', 'the receipt of the consent that was withdrawn'),
    patient: text('NAME', "or the patient, named as in this site's data"),
    run: whole('N', 'the run whose model the record had a part in', { from: 1 }),
  },
  example: 'rota consent unlearn --folder ./cleveland --receipt receipt-1f0c9a.json --run 3 --json > certificate.json',
  async run({ options, out, signal }) {
    const { unlearn } = await import('#app/unlearn/unlearn.ts')
    const { unlearnText } = await import('#cli/output/unlearn-text.ts')
    const { receipt, patient } = options
    if (receipt !== undefined && patient !== undefined) throw new RotaError('ROTA-1102', { option: '--receipt', other: '--patient' })
    const whose = patient === undefined ? { receipt: needed('consent unlearn', '--receipt or --patient', receipt) } : { patient }
    const run = runId(needed('consent unlearn', '--run', options.run))
    const answer = await unlearn({ folder: options.folder, password: passwordFrom(options), signal, whose, run })
    out.result(answer, () => unlearnText(answer, out.style))
  },
})
