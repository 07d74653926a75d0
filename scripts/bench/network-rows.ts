import type { Figure } from './figures.ts'
import { figureOf } from './figures.ts'
import type { BenchOptions } from './options.ts'
import type { PeerFigures } from './peers.ts'
import { type PlayedRun, playRun } from './play-run.ts'
import type { Row } from './row.ts'
import { largeStudy, smallStudy, weightsOf } from './studies.ts'

const MB = 1e6
/** Two hidden layers each: no layer may have more than 65,536 units. */
const MILLION = [1_000, 985] as const
const TEN_MILLION = [3_160, 3_150] as const

/** Four processes, 14 weights, a block for each call; bytes and the start come out of the same run. */
export async function roundRows({ rounds, profiles }: BenchOptions, peers: PeerFigures): Promise<Row[]> {
  const run = await playRun(smallStudy(rounds), { rounds, profiles })
  return [
    {
      work: 'round, four processes, 14 weights, instant blocks',
      unit: 's',
      rota: figureOf(run.roundSeconds),
      bar: 0.51,
      aim: 0.25,
      peers: peers.small,
      note: cpuNote(run),
    },
    { work: 'peak memory of a node, 14 weights', unit: 'MB', rota: one(run.peakRssBytes / MB), bar: 200, peers: peers.smallMemory },
    {
      ...{ work: 'bytes up per site and round, 14 weights', unit: 'kB', rota: scaled(run.peersOut, 1_000), bar: 20, peers: peers.smallBytes },
      note: `payload between members; the chain beside it: ${kB(run.chainOut)} kB up, ${kB(run.chainIn)} kB down`,
    },
    { work: 'start of four nodes to the end of round 1', unit: 's', rota: one(run.startSeconds), bar: 10, aim: 5, peers: peers.start },
  ]
}

export async function blockRows({ rounds, profiles }: BenchOptions): Promise<Row[]> {
  const run = await playRun(smallStudy(rounds), { rounds, profiles, chain: { blockTimeSeconds: 1 } })
  const note = `${figureOf(run.roundSeconds).median.toFixed(2)} s`
  return [{ work: 'round, four processes, 14 weights, 1-second blocks', unit: 'blocks', rota: figureOf(run.roundBlocks), bar: 6, peers: [], note }]
}

export async function millionRows({ rounds, profiles }: BenchOptions, peers: PeerFigures): Promise<Row[]> {
  const few = Math.max(4, Math.ceil(rounds / 2))
  const run = await playRun(largeStudy(MILLION, few), { rounds: few, profiles, noise: true })
  const note = `${weightsOf(MILLION)} weights, no training, ${cpuNote(run)}`
  return [
    {
      work: 'round, four processes, 1 million weights (4 MB)',
      unit: 's',
      rota: figureOf(run.roundSeconds),
      bar: 1.5 * 0.56,
      aim: 0.5,
      peers: peers.million,
      note,
    },
  ]
}

export async function tenMillionRows({ rounds, profiles }: BenchOptions, peers: PeerFigures): Promise<Row[]> {
  const few = Math.max(4, Math.ceil(rounds / 4))
  const run = await playRun(largeStudy(TEN_MILLION, few), { rounds: few, profiles, noise: true })
  const weights = weightsOf(TEN_MILLION)
  return [
    {
      ...{
        work: 'round, four processes, 10 million weights (40 MB)',
        unit: 's',
        rota: figureOf(run.roundSeconds),
        bar: 5.6,
        aim: 2.8,
        peers: peers.tenMillion,
      },
      note: `${weights} weights, no training, ${cpuNote(run)}, ${(run.peersOut.median / MB).toFixed(0)} MB up per site`,
    },
    {
      work: 'peak memory of a node, 40 MB model',
      unit: 'MB',
      rota: one(run.peakRssBytes / MB),
      bar: 200 + (3 * 4 * weights) / MB,
      peers: peers.tenMillionMemory,
    },
  ]
}

const cpuNote = ({ cpuSeconds }: PlayedRun): string => `${cpuSeconds.median.toPrecision(2)} CPU s of all nodes`
const one = (value: number): Figure => ({ median: value, low: value, high: value })
const scaled = ({ median, low, high }: Figure, by: number): Figure => ({ median: median / by, low: low / by, high: high / by })
const kB = ({ median }: Figure): string => (median / 1_000).toFixed(1)
