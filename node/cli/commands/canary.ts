import { isRotaError } from '#base/errors.ts'
import { command } from '../command-file.ts'
import { text, whole } from '../options.ts'
import { passwordFrom, siteOptions } from '../site-options.ts'

export const canary = command({
  name: 'canary',
  group: 'Studies',
  summary: 'measure every site and the way to it before a run, and see whether the limits hold',
  description: `One round's work with a synthetic update of the study's size: the way to each member and back, clocks, stores, builds, and how long each site trains on
its own rows. Sites say how long, rounded up, and nothing about their rows; what they computed is thrown away. Proposes the limits of the phases (training: twice the
slowest site's 95th percentile) and keeps the result: study start refuses a run that could not finish. With --out the protocol is written with the proposed limits, to be
published as a new study, since limits are part of what stewards approve. A running node measures for the command; without one, the members are dialled with this
site's key. Ends with 3 when an approved member never answered.`,
  arguments: '<study>',
  options: {
    ...siteOptions,
    out: text('FILE.yaml', 'write the protocol with the proposed limits'),
    wait: whole('SECONDS', 'how long a member may take to answer: its training is measured meanwhile', { from: 1, to: 240 }, 60),
  },
  example: ['rota canary 1 --folder ./cleveland', 'rota canary 1 --folder ./cleveland --out with-limits.yaml'],
  async run({ options, args, out, signal }) {
    const { canary: runCanary, checkAnswered } = await import('#app/canary-call.ts')
    const { studyNumber } = await import('#app/studies.ts')
    const { canaryText } = await import('#cli/output/canary-text.ts')
    const call = { folder: options.folder, password: passwordFrom(options), signal, study: studyNumber(args[0] ?? ''), waitMs: options.wait * 1000 }
    const progress = out.progress('Measuring')
    try {
      const told = await runCanary({ ...call, outFile: options.out }, (step) => progress.update(step))
      progress.done()
      const silent = silentOf(() => checkAnswered(told, call.waitMs))
      out.result({ ...told, problem: silent?.told ?? null }, () => canaryText(told, silent?.told ?? null, out.style))
      return silent?.exitCode ?? 0
    } finally {
      progress.done()
    }
  },
})

/** What was measured is shown all the same: the error comes below it. */
function silentOf(
  check: () => void,
): { readonly told: { readonly code: string; readonly what: string; readonly remedy: string }; readonly exitCode: number } | null {
  try {
    check()
    return null
  } catch (error) {
    if (!isRotaError(error)) throw error
    return { told: { code: error.code, what: error.message, remedy: error.remedy }, exitCode: error.exitCode }
  }
}
