import { command } from '../command-file.ts'
import { whole } from '../options.ts'
import { siteOptions } from '../site-options.ts'

export const study_show = command({
  name: 'study show',
  group: 'Studies',
  summary: 'show a study: protocol, who approved, and its runs round by round',
  description: 'Bytes and training time are those of this site, noted by its node for the rounds that it saw.',
  arguments: '<study>',
  options: { folder: siteOptions.folder, rounds: whole('N', 'only the last N rounds of each run', { from: 1 }) },
  example: 'rota study show 1 --folder ./cleveland --rounds 5',
  async run({ options, args, out, signal }) {
    const { studyNumber } = await import('#app/study/studies.ts')
    const { showStudy } = await import('#app/study/study-show.ts')
    const { studyText } = await import('#cli/output/study-text.ts')
    const study = await showStudy({ folder: options.folder, study: studyNumber(args[0] ?? ''), last: options.rounds, signal })
    out.result(study, () => studyText(study, out.style))
  },
})
