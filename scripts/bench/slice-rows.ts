import { execFile } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { figureOf } from './figures.ts'
import { playRun } from './play-run.ts'
import type { Row } from './row.ts'
import { slicedSites, weightsOf } from './studies.ts'

/** 10 million weights, 40 MB in 611 units. */
const TEN_MILLION = 3_155
const PROCESSES = 7
const ROUNDS = 6
const BAR = 5
const LIMIT_MS = 3_600_000
const MB = 1e6

/** What the site that moves most sends or fetches in a round, in models: where one leader adds everything up that is as many as there are sites. */
export async function sliceRows(): Promise<Row[]> {
  return [await processRow(), await simulatedRow(23), await simulatedRow(200)]
}

async function processRow(): Promise<Row> {
  const study = slicedSites(PROCESSES, [TEN_MILLION, TEN_MILLION], ROUNDS)
  const run = await playRun(study, { rounds: ROUNDS, noise: true })
  const modelBytes = 4 * weightsOf([TEN_MILLION, TEN_MILLION])
  return rowOf(`${PROCESSES} processes`, { modelBytes, bytesIn: run.sitesIn, bytesOut: run.sitesOut, rssBytes: run.peakRssBytes })
}

/** In a process of its own, so that its memory is its own. */
async function simulatedRow(sites: number): Promise<Row> {
  const args = [join(import.meta.dirname, 'sliced.ts'), `${sites}`, `${TEN_MILLION}`, '1']
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: LIMIT_MS, maxBuffer: 1e7 })
  return rowOf(`${sites} simulated sites`, JSON.parse(stdout) as Sliced)
}

/** Bytes of each site, a round; scripts/bench/sliced.ts says it of simulated ones. */
interface Sliced {
  readonly modelBytes: number
  readonly bytesIn: readonly number[]
  readonly bytesOut: readonly number[]
  readonly rssBytes: number
}

function rowOf(who: string, { modelBytes, bytesIn, bytesOut, rssBytes }: Sliced): Row {
  const figure = Math.max(...bytesIn, ...bytesOut) / modelBytes
  const [up, down] = [bytesOut, bytesIn].map((bytes) => (figureOf(bytes).median / modelBytes).toFixed(2))
  return {
    work: `most that a site moves in a round, a model of ${Math.round(modelBytes / MB)} MB in slices, ${who}`,
    unit: '× model',
    rota: { median: figure, low: figure, high: figure },
    bar: BAR,
    peers: [],
    note: `half of the sites below ${up} × up and ${down} × down; ${Math.round(rssBytes / MB)} MB of memory at most`,
  }
}
