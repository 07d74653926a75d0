import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isRotaError } from '#base/errors.ts'
import { actAudit } from './acts/audit.ts'
import { actExact } from './acts/exact.ts'
import { actLeader, VICTIM } from './acts/leader.ts'
import { actNetwork } from './acts/network.ts'
import { actNeural } from './acts/neural.ts'
import { actStudy } from './acts/study.ts'
import { actWithdrawal } from './acts/withdrawal.ts'
import { clearUp, endAtOnce } from './clear-up.ts'
import { cohortFromFile, generatedCohort } from './cohort.ts'
import { DemoError } from './demo-error.ts'
import { openEar } from './ear.ts'
import { farewell, kept } from './farewell.ts'
import type { Hospital } from './hospital.ts'
import type { DemoOptions } from './options.ts'
import type { DemoResults } from './results.ts'
import { commandLine } from './rota.ts'
import type { Network, Scene } from './scene.ts'
import { openStage, type Stage } from './stage.ts'

export const INTERRUPTED = 130

/** Plays all seven acts, clears up, and prints the results. @returns the exit code: 0 only when all was as it should be */
export async function playDemo(options: DemoOptions, signal: AbortSignal, print: (text: string) => void): Promise<number> {
  const started = Date.now()
  const stage = openStage(options.json)
  const root = await mkdtemp(join(tmpdir(), 'rota-demo-'))
  const hospitals: Hospital[] = []
  const disarm = endAtOnce(root, hospitals)
  let network: Network | null = null
  let results: Omit<DemoResults, 'seconds'> | null = null
  let failure: unknown = null
  try {
    const scene = await openScene(options, stage, root, signal)
    const opening = await actNetwork(scene, (all) => hospitals.push(...all))
    network = opening.network
    results = await playActs(scene, network, opening.result)
  } catch (error) {
    failure = error
  }
  const keep = options.keep && failure === null && network !== null
  if (keep && network !== null) await Promise.all(hospitals.map((hospital) => hospital.release()))
  else await clearUp(stage, root, hospitals)
  disarm()
  if (failure === null && !keep) await rm(root, { recursive: true, force: true })
  if (failure === null && network !== null) stage.line(keep ? kept(stage, root, network) : farewell(stage, (Date.now() - started) / 1_000))
  else if (signal.aborted) {
    await rm(root, { recursive: true, force: true })
    stage.line('Stopped. Nothing is left running.')
  } else tellFailure(stage, failure, root)
  stage.close()
  if (results !== null && options.json)
    print(`${JSON.stringify({ ...results, seconds: (Date.now() - started) / 1_000 } satisfies DemoResults, plainValue, 2)}\n`)
  return failure === null ? 0 : signal.aborted ? INTERRUPTED : 1
}

async function openScene(options: DemoOptions, stage: Stage, root: string, signal: AbortSignal): Promise<Scene> {
  const cohort = options.data === null ? generatedCohort(options.seed) : await cohortFromFile(options.data)
  const rota = commandLine(join(root, 'commands.log'), signal)
  const patients = cohort.hospitals.reduce((sum, { rows }) => sum + rows.length, 0)
  stage.line(stage.style.bold(`${cohort.hospitals.length} hospitals, ${patients} patients: ${cohort.source}`))
  stage.line(
    stage.style.dim('They train one model together and take turns to add the updates up; nobody holds the data, and nobody has to be trusted with the sum.'),
  )
  return { options, stage, root, rota, ear: openEar(signal, `The logs of the nodes are under ${root}`), cohort }
}

/** The play, in reading order. */
async function playActs(scene: Scene, network: Network, opening: DemoResults['network']): Promise<Omit<DemoResults, 'seconds'>> {
  const { studies, result: study } = await actStudy(scene, network)
  const exact = await actExact(scene, network, studies)
  const neural = await actNeural(scene, network, studies, VICTIM)
  const { opened, result: leader } = await actLeader(scene, network, studies)
  const withdrawal = await actWithdrawal(scene, network, studies, opened)
  const audit = await actAudit(scene, network, neural)
  for (const hospital of network.hospitals) hospital.mustRun()
  const rows = Object.fromEntries(
    scene.cohort.hospitals.map(({ name, rows }) => [
      name,
      { train: rows.filter(({ set }) => set === 'train').length, test: rows.filter(({ set }) => set === 'test').length },
    ]),
  )
  return { ok: true, data: { source: scene.cohort.source, rows }, network: opening, study, exact, neural, leader, withdrawal, audit }
}

function tellFailure(stage: Stage, error: unknown, root: string): void {
  stage.line()
  stage.line(`${stage.style.bad('The demo stopped:')} ${error instanceof Error ? error.message : String(error)}`)
  if (error instanceof DemoError && error.advice !== '') stage.line(`  ${stage.style.dim('→')} ${error.advice}`)
  else if (isRotaError(error)) stage.line(`  ${stage.style.dim('→')} ${error.code} ${error.remedy}`)
  else if (error instanceof Error) stage.line(stage.style.dim(error.stack ?? ''))
  stage.line(`  Everything is kept in ${root}: commands.log, and node.log and events.jsonl of each hospital.`)
}

const plainValue = (_key: string, value: unknown): unknown => (typeof value === 'number' && !Number.isFinite(value) ? null : value)
