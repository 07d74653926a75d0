import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { jsonRpc } from '#adapters/devchain/machine.ts'
import { sitePaths } from '#app/site/site-folder.ts'
import { deal } from '../../test/support/blows.ts'
import { inAWord, makeRoughHospitals } from '../../test/support/rough-hospitals.ts'
import { longStudy } from '../../test/support/studies.ts'
import { figureOf } from './figures.ts'
import { makeNetwork } from './hospitals.ts'
import type { BenchOptions } from './options.ts'
import { playRun } from './play-run.ts'
import type { Row } from './row.ts'
import { manySites, smallStudy } from './studies.ts'

const KILLS = 10
/** Publishing limit of four sites, seconds. */
const PUBLISHING = 7
const MANY = 23
const MANY_ROUNDS = 20
const KEPT_ROUNDS = 60
const A_DAY_S = 25 * 3600
/** Nodes look once a minute for what may go. */
const SWEEP_MS = 150_000
const QUIET_MS = 5_000
const RUN_MS = 10 * 60_000

/** The leader's process is killed when it is about to publish, and stays away until its round is over. */
export async function killRows(): Promise<Row[]> {
  const study = longStudy({ sites: 4 })
  const hospitals = await makeRoughHospitals(study.sites, study.cohort.label.name)
  try {
    await hospitals.startAll()
    const run = await hospitals.openRun(await hospitals.publish(study.protocol))
    const seconds: number[] = []
    for (let i = 0; i < KILLS; i++) {
      const { story, closedAfterMs } = await deal(hospitals, run, {
        strikes: [{ row: 'publish', role: 'leader', at: 'row', signal: 'SIGKILL' }],
        restart: false,
      })
      if (story.state !== 'closed') throw new Error(inAWord(story))
      seconds.push(closedAfterMs / 1_000)
    }
    return [{ work: 'leader killed just before publishing: to the end of its round', unit: 's', rota: figureOf(seconds), bar: PUBLISHING / 3 + 3, peers: [] }]
  } finally {
    await hospitals.stop()
  }
}

/** As many processes on this machine as a network of hospitals has sites. */
export async function manyRows({ profiles }: BenchOptions): Promise<Row[]> {
  // One round of moments and one of evaluation are in it.
  const run = await playRun(manySites(MANY, MANY_ROUNDS - 2), { rounds: MANY_ROUNDS - 2, profiles })
  const MB = 2 ** 20
  return [
    {
      ...{ work: `peak memory of a node, ${MANY} processes, 14 weights, ${MANY_ROUNDS} rounds`, unit: 'MB', bar: 190, peers: [] },
      rota: figureOf([run.peakRssBytes / MB]),
      note: `${run.roundsClosed} of ${run.roundsOpened} rounds closed, ${run.fewestIn} sites or more in each; a round ${figureOf(run.roundSeconds).median.toFixed(1)} s`,
    },
  ]
}

/** What a site keeps of a round once a day has passed: of small studies the sum and the model, each of two blocks, and nobody's update. */
export async function diskRows(): Promise<Row[]> {
  const network = await makeNetwork(smallStudy(KEPT_ROUNDS - 2))
  try {
    const nodes = await network.startNodes()
    const run = await network.openRun()
    await Promise.all(nodes.map((node) => node.until((line) => line.event === 'over' && line.run === run, RUN_MS)))
    const { blocks } = sitePaths(network.folders[0] as string)
    const before = await filesIn(blocks)
    await jsonRpc(network.chain.port, 'evm_increaseTime', [A_DAY_S])
    await jsonRpc(network.chain.port, 'evm_mine')
    const after = await settled(blocks, before)
    const note = `${(before.files / KEPT_ROUNDS).toFixed(1)} blocks, ${kB(before)} kB on the day itself, with every site's update; ${kB(after)} kB after it`
    return [
      {
        ...{ work: 'blocks that a site keeps of a round after a day, 14 weights', unit: 'blocks', bar: 4.4, peers: [] },
        ...{ rota: figureOf([after.files / KEPT_ROUNDS]), note },
      },
    ]
  } finally {
    await network.stop()
  }
}

const kB = ({ bytes }: Disk): string => (bytes / KEPT_ROUNDS / 1e3).toFixed(1)

interface Disk {
  readonly files: number
  readonly bytes: number
}

/** What lies there once nothing has gone for some seconds, after something has. */
async function settled(dir: string, before: Disk): Promise<Disk> {
  let now = before
  for (const end = Date.now() + SWEEP_MS; Date.now() < end; ) {
    await sleep(QUIET_MS)
    const next = await filesIn(dir)
    if (next.files < before.files && next.files === now.files) return next
    now = next
  }
  return now
}

async function filesIn(dir: string): Promise<Disk> {
  const files = (await readdir(dir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(file.parentPath, file.name)).catch(() => null))?.size ?? 0))
  return { files: files.length, bytes: sizes.reduce((sum, size) => sum + size, 0) }
}
