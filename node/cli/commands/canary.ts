import { command } from '../command-file.ts'
import { text, whole } from '../options.ts'
import { passwordFrom, siteOptions } from '../site-options.ts'

export const canary = command({
  name: 'canary',
  group: 'Studies',
  summary: 'measure every site and the way to it before a run, and see whether the limits hold',
  description: `Measures each member (clock, store, build, and how long it trains on its own rows) and every way between two of them, both ways, and plays one round
over made-up updates of the study's size: they are encrypted, stored, fetched by their custodians, added up, published, and checked by all, in stores of their own that
are deleted afterwards. The sum of made-up updates is known, so a site that comes to another is found. Nothing of it is on chain. Sites say how long they train, rounded
up, and nothing about their rows. Proposes the limits of the phases (training: twice the slowest site's 95th percentile; the others twice what was measured) and keeps
the result: study start refuses a run that could not finish. With --out the protocol is written with the proposed limits, to be published as a new study, since limits
are part of what stewards approve. A running node measures for the command; without one, the members are dialled with this site's key. Ends with 3 when an approved
member never answered or the round was not played to its end, with 2 when a sum was wrong.`,
  arguments: '<study>',
  options: {
    ...siteOptions,
    out: text('FILE.yaml', 'write the protocol with the proposed limits'),
    wait: whole('SECONDS', 'how long a member may take to answer: its training is measured meanwhile', { from: 1, to: 240 }, 120),
  },
  example: ['rota canary 1 --folder ./cleveland', 'rota canary 1 --folder ./cleveland --out with-limits.yaml'],
  async run({ options, args, out, signal }) {
    const { canary: runCanary, problemsOf } = await import('#app/canary/canary-call.ts')
    const { studyNumber } = await import('#app/study/studies.ts')
    const { toldError } = await import('#app/told-error.ts')
    const { canaryText } = await import('#cli/output/canary-text.ts')
    const call = { folder: options.folder, password: passwordFrom(options), signal, study: studyNumber(args[0] ?? ''), waitMs: options.wait * 1000 }
    const progress = out.progress('Measuring')
    try {
      const told = await runCanary({ ...call, outFile: options.out }, (step) => progress.update(step))
      progress.done()
      // What was measured is shown all the same: the errors come below it.
      const problems = problemsOf(told, call.waitMs)
      out.result({ ...told, problems: problems.map(toldError) }, () => canaryText(told, problems.map(toldError), out.style))
      return problems[0]?.exitCode ?? 0
    } finally {
      progress.done()
    }
  },
})
