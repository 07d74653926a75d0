import { must } from '../demo-error.ts'
import type { LeaderResult } from '../results.ts'
import { type OpenRun, openRun } from '../rounds.ts'
import type { Network, Scene, Studies } from '../scene.ts'
import { startNodes } from './start-nodes.ts'

/** The second hospital leads the second round of every run. */
export const VICTIM = 1
const TURN_LIMIT_MS = 40_000
const BACK_LIMIT_MS = 60_000

/** Act 5. The leader's process is killed just before it publishes; a standby publishes, the round closes; the dead node comes back. */
export async function actLeader(scene: Scene, network: Network, { averaged }: Studies): Promise<{ readonly opened: OpenRun; readonly result: LeaderResult }> {
  const { stage, ear } = scene
  const victim = network.hospitals[VICTIM]
  must(victim !== undefined, 'there is no such hospital')
  stage.act(
    5,
    'A leader dies',
    `A long run: the same model by federated averaging. ${victim.name} was started as a drill: before it publishes a sum, it is killed.`,
  )
  const since = ear.mark()
  const opened = await openRun(scene, network, averaged)
  const drill = await ear.wait(
    `${victim.name} leads`,
    ({ hospital, event }) => (hospital === victim && event.event === 'drill' && event.run === opened.run ? event : undefined),
    TURN_LIMIT_MS,
    since,
  )
  if (drill.round > 1) await opened.round(drill.round - 1)
  const killedPid = victim.pid ?? 0
  stage.command(`kill -9 ${killedPid}`)
  await victim.kill()
  const killedAt = Date.now()
  stage.line(stage.style.warn(`   ${victim.name} is gone in round ${drill.round}, with the sum unpublished`))
  stage.now('a standby takes its place when a third of the limit has passed')
  const round = await opened.round(drill.round)
  const secondsToClose = (Date.now() - killedAt) / 1_000
  must(round.publisher !== null && round.publisher !== victim.name, `round ${drill.round} was not published by a standby, but by ${round.publisher}`)
  must(round.state === 'closed', `round ${drill.round} is ${round.state}, not closed`)
  stage.good(`${round.publisher} published the same sum in its place, and the round closed`)

  const startedAt = Date.now()
  await startNodes(scene, [victim])
  const back = await ear.wait(
    `${victim.name} catches up`,
    ({ hospital, event }) =>
      hospital === victim &&
      event.event === 'progress' &&
      event.progress.kind === 'contributed' &&
      event.progress.run === opened.run &&
      event.progress.round > drill.round
        ? event.progress
        : undefined,
    BACK_LIMIT_MS,
    since,
  )
  const secondsToCatchUp = (Date.now() - startedAt) / 1_000
  stage.good(`${victim.name} runs again as process ${victim.pid}, took the model from chain and store, and contributed to round ${back.round}`)
  const result = {
    run: opened.run,
    round: drill.round,
    killed: victim.name,
    killedPid,
    publisher: round.publisher,
    secondsToClose,
    secondsToCatchUp,
    caughtUpInRound: back.round,
  }
  return { opened, result }
}
