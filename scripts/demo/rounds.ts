import type { RoundLine } from '#app/node/run-node.ts'
import { must } from './demo-error.ts'
import type { Heard } from './hospital.ts'
import type { RoundResult, RunResult } from './results.ts'
import type { Network, Scene } from './scene.ts'

const RUN_LIMIT_MS = 90_000

/** A run that the demo opened, with its rounds as they end. */
export interface OpenRun {
  readonly run: number
  readonly rounds: RoundResult[]
  /** The round with this number has ended. */
  round(number: number): Promise<RoundResult>
  /** It is over at every hospital whose node runs, and they agree on the model. */
  over(): Promise<RunResult>
}

/** Opens a run of a study, as the first hospital, and tells each of its rounds on a line. */
export async function openRun(scene: Scene, network: Network, study: number): Promise<OpenRun> {
  const { ear, rota, stage } = scene
  const [first] = network.hospitals
  const since = ear.mark()
  stage.command(`rota study start ${study} --once --folder ${first?.name}`)
  const { run } = await rota<{ run: number }>(['study', 'start', String(study), '--once', '--folder', first?.folder ?? ''])
  const rounds: RoundResult[] = []
  let last = Date.now()
  const tell = ({ hospital, event }: Heard): void => {
    if (event.event === 'progress' && event.progress.run === run && event.progress.kind === 'contributed')
      stage.now(`round ${event.progress.round}: ${hospital.name} contributed`)
    if (event.event !== 'round' || event.story.run !== run || hospital !== first) return
    rounds.push(roundResult(event.story, (Date.now() - last) / 1_000))
    last = Date.now()
    stage.line(roundText(rounds.at(-1) as RoundResult, network.hospitals.length))
  }
  // On a slow machine a round may be over before the command is.
  const unlisten = ear.listen(tell, since)
  return {
    run,
    rounds,
    async round(number) {
      await ear.wait(
        `round ${number} of run ${run} ends`,
        ({ event, hospital }) => (event.event === 'round' && event.story.run === run && event.story.round === number && hospital === first ? true : undefined),
        RUN_LIMIT_MS,
        since,
      )
      return rounds.find((round) => round.round === number) as RoundResult
    },
    async over() {
      const ends = await Promise.all(
        network.hospitals
          .filter((hospital) => hospital.runs)
          .map((hospital) =>
            ear.wait(
              `run ${run} is over at ${hospital.name}`,
              ({ event, hospital: from }) => (from === hospital && event.event === 'run-over' && event.run === run ? event : undefined),
              RUN_LIMIT_MS,
              since,
            ),
          ),
      )
      unlisten()
      const roots = [...new Set(ends.map(({ modelRoot }) => modelRoot))]
      must(roots.length === 1, `after run ${run} the hospitals have different models: ${roots.join(', ')}`)
      return { run, state: ends[0]?.state ?? '', modelRoot: roots[0] ?? '', rounds }
    },
  }
}

function roundResult(story: RoundLine, seconds: number): RoundResult {
  const name = (site: number): string => story.names[site] ?? `site ${site}`
  return {
    round: story.round,
    stage: story.stage ?? '',
    state: story.state,
    leader: name(story.leader),
    publisher: story.publisher === null ? null : name(story.publisher),
    included: story.included.map(name),
    missing: story.missing.map(name),
    bytesIn: story.bytesIn,
    bytesOut: story.bytesOut,
    seconds,
    change: story.change,
    modelRoot: story.modelRoot,
  }
}

const LEADER_WIDTH = 24

/** One round on one line: leader, sites in, bytes, seconds, change. */
export function roundText(round: RoundResult, sites: number): string {
  const standby = round.publisher !== null && round.publisher !== round.leader ? ` → ${round.publisher}` : ''
  const parts = [
    `round ${String(round.round).padStart(2)}`,
    (round.state === 'closed' ? round.stage : round.state).padEnd(10),
    `led by ${`${round.leader}${standby}`.padEnd(LEADER_WIDTH)}`,
    `${round.included.length} of ${sites} in`,
    `${kilobytes(round.bytesIn + round.bytesOut).padStart(8)}`,
    `${round.seconds.toFixed(1).padStart(5)} s`,
    round.change === null ? '' : `Δ ${round.change.toExponential(1)}`,
  ]
  return `   ${parts.join('  ').trimEnd()}`
}

const kilobytes = (bytes: number): string => `${(bytes / 1e3).toFixed(1)} kB`
