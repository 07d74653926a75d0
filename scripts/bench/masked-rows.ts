import { figureOf } from './figures.ts'
import type { BenchOptions } from './options.ts'
import { type PlayedRun, playRun } from './play-run.ts'
import type { Row } from './row.ts'
import { fiveSites, weightsOf } from './studies.ts'

const MILLION = [1_000, 985] as const

/** A round of a masked study beside the same round of an open one, in the same five processes' worth of work, one run after the other. */
export async function maskedRows(options: BenchOptions): Promise<Row[]> {
  return [
    await ratioRow('14 weights', null, options.rounds, options),
    await ratioRow(`1 million weights (${weightsOf(MILLION)})`, MILLION, Math.max(4, Math.ceil(options.rounds / 2)), options),
  ]
}

async function ratioRow(what: string, hidden: readonly [number, number] | null, rounds: number, { profiles }: BenchOptions): Promise<Row> {
  const play = (mode: 'open' | 'masked'): Promise<PlayedRun> => playRun(fiveSites(mode, rounds, hidden), { rounds, profiles, noise: hidden !== null })
  const open = await play('open')
  const masked = await play('masked')
  const plain = figureOf(open.roundSeconds).median
  return {
    work: `masked round / open round, five processes, ${what}`,
    unit: '×',
    rota: figureOf(masked.roundSeconds.map((seconds) => seconds / plain)),
    bar: 1.3,
    peers: [],
    note: `${figureOf(masked.roundSeconds).median.toFixed(3)} s masked (${masked.cpuSeconds.median.toFixed(2)} CPU s), ${plain.toFixed(3)} s open (${open.cpuSeconds.median.toFixed(2)} CPU s); ${(masked.peersOut.median / 1000).toFixed(0)} kB and ${(open.peersOut.median / 1000).toFixed(0)} kB up a site; rows ${rowsOf(masked)}`,
  }
}

/** Where a masked round's time goes, in milliseconds. */
const rowsOf = ({ rowMs }: PlayedRun): string =>
  ['advertise', 'deal', 'key', 'contribute', 'release', 'attest']
    .flatMap((row) => (rowMs[row] === undefined ? [] : [`${row} ${rowMs[row].toFixed(0)}`]))
    .join(', ')
