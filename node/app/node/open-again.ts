import { haltedBy } from '#app/study/halted-by.ts'
import type { Chain } from '#ports/chain.ts'
import type { Log } from '#ports/host.ts'
import { noteOpenedRun, openedRuns } from './opened-runs.ts'

/**
 * Opens another run in the place of each that a hospital halted since its patients changed, unless whoever opened it from here
 * left that to people (`rota study start --once`). Not where one of that study was opened since; one that was halted for another reason waits for a person.
 */
export async function openHaltedAgain(file: string, chain: Pick<Chain, 'runs' | 'events' | 'openRun'>, log: Pick<Log, 'info'>): Promise<void> {
  for (const opened of await openedRuns(file)) {
    if (opened.again !== true || (await chain.runs()).some(({ run, study }) => study === opened.study && run > opened.run)) continue
    const events = await chain.events(0, { run: opened.run, kinds: ['RunStateChanged'] })
    if (haltedBy(events, opened.run)?.reason !== 'cohortChanged') continue
    const run = await chain.openRun(opened.study, opened.model)
    await noteOpenedRun(file, { ...opened, run })
    log.info('run.opened-without-withdrawn', { run, study: opened.study })
  }
}
