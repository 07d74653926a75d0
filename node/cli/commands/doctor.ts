import { command } from '../command-file.ts'
import { passwordFrom, siteOptions } from '../site-options.ts'

export const doctor = command({
  name: 'doctor',
  group: 'Start here',
  summary: 'test keys, clock, disk, chain, members, data and backend; ends with ready, or with what to do',
  description: `Changes nothing. A running node is asked about its peers; where none runs, the members are dialled with this site's network key. The exit code is 0
when the site is ready, else that of the first fault.`,
  options: siteOptions,
  example: 'rota doctor --folder ./cleveland',
  async run({ options, out, signal }) {
    const { examine } = await import('#app/site/doctor.ts')
    const { diagnosisText } = await import('#cli/output/doctor-text.ts')
    const progress = out.progress('Testing')
    try {
      const diagnosis = await examine({ folder: options.folder, password: passwordFrom(options), signal }, (name) => progress.update(name))
      progress.done()
      out.result(diagnosis, () => diagnosisText(diagnosis, out.style))
      return diagnosis.exitCode
    } finally {
      progress.done()
    }
  },
})
