import { execFile } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { figureOf } from './figures.ts'
import type { BenchOptions } from './options.ts'
import type { Row } from './row.ts'

const SITES = 100
const MANY = 1_000
const MANY_ROUNDS = 5
const LIMIT_MS = 600_000
const MB = 1e6
const GIB = 2 ** 30 / MB

export async function simulatedRows({ rounds }: BenchOptions): Promise<Row[]> {
  const { seconds, rssBytes } = await apart<{ seconds: number[]; rssBytes: number }>('simulated.ts', SITES, rounds)
  const note = `${(rssBytes / MB).toFixed(0)} MB of memory at most (bar 300)`
  return [{ work: 'simulated round, 100 sites', unit: 's', rota: figureOf(seconds), bar: 0.3, peers: [], note }, ...(await manySitesRows())]
}

/** What scripts/bench/simulated-study.ts says. */
interface Study {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly runSeconds: number
  readonly rounds: number
  readonly rssBytes: number
}

/** A thousand sites between two studies of a hundred: whoever else is on the machine is there for all three. */
async function manySitesRows(): Promise<Row[]> {
  const play = (sites: number): Promise<Study> => apart<Study>('simulated-study.ts', sites, MANY_ROUNDS)
  const [before, many, after] = [await play(SITES), await play(MANY), await play(SITES)]
  const work = `simulated study, ${MANY.toLocaleString('en')} sites, logistic, ${MANY_ROUNDS} rounds`
  const few = [before, after].map((study) => perSite(study, SITES))
  const shares = few.map((seconds) => perSite(many, MANY) / seconds)
  return [
    {
      ...{ work, unit: 's', rota: figureOf([many.seconds]), bar: 30, peers: [] },
      note: `the whole command; ${many.cpuSeconds.toFixed(1)} CPU s, and ${figureOf([before.cpuSeconds, after.cpuSeconds]).median.toFixed(1)} of ${SITES} sites`,
    },
    { work: `peak memory of a ${work}`, unit: 'MB', rota: figureOf([many.rssBytes / MB]), bar: GIB, peers: [] },
    { work: `seconds per site and round, ${MANY.toLocaleString('en')} simulated sites / ${SITES}`, unit: '×', rota: figureOf(shares), bar: 1.3, peers: [] },
  ]
}

const perSite = ({ runSeconds, rounds }: Study, sites: number): number => runSeconds / sites / rounds

/** In a process of its own, so that its memory is its own. */
async function apart<T>(script: string, sites: number, rounds: number): Promise<T> {
  const args = [join(import.meta.dirname, script), `${sites}`, `${rounds}`]
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: LIMIT_MS, maxBuffer: 1e7 })
  return JSON.parse(stdout) as T
}
