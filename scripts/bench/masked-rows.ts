import { type Figure, figureOf } from './figures.ts'
import type { BenchOptions } from './options.ts'
import type { PeerFigures } from './peers.ts'
import { type PlayedRun, playRun } from './play-run.ts'
import type { Row } from './row.ts'
import { fiveSites, weightsOf } from './studies.ts'

const MILLION = [1_000, 985] as const

/** A round of a masked study beside the same round of an open one, in the same five processes' worth of work, one run after the other; and beside Flower's. */
export async function maskedRows(options: BenchOptions, { masked: peers }: PeerFigures): Promise<Row[]> {
  const small = await compared('14 weights', null, options.rounds, options)
  const what = `1 million weights (${weightsOf(MILLION)})`
  const large = await compared(what, MILLION, Math.max(4, Math.ceil(options.rounds / 2)), options)
  const [flower] = peers
  if (flower === undefined) return [small.row, large.row]
  // Of the time that its peer took in this run.
  return [small.row, large.row, { work: `masked round, five processes, ${what}`, unit: 's', rota: large.masked, bar: flower.median / 5, peers }]
}

interface Compared {
  readonly row: Row
  /** Seconds. */
  readonly masked: Figure
}

async function compared(what: string, hidden: readonly [number, number] | null, rounds: number, { profiles }: BenchOptions): Promise<Compared> {
  const play = (mode: 'open' | 'masked'): Promise<PlayedRun> => playRun(fiveSites(mode, rounds, hidden), { rounds, profiles, noise: hidden !== null })
  const open = await play('open')
  const masked = await play('masked')
  const plain = figureOf(open.roundSeconds).median
  const row: Row = {
    work: `masked round / open round, five processes, ${what}`,
    unit: '×',
    rota: figureOf(masked.roundSeconds.map((seconds) => seconds / plain)),
    bar: 1.3,
    peers: [],
    note: `${figureOf(masked.roundSeconds).median.toFixed(3)} s masked (${masked.cpuSeconds.median.toFixed(2)} CPU s), ${plain.toFixed(3)} s open (${open.cpuSeconds.median.toFixed(2)} CPU s); ${(masked.peersOut.median / 1000).toFixed(0)} kB and ${(open.peersOut.median / 1000).toFixed(0)} kB up a site; rows ${rowsOf(masked)}`,
  }
  return { row, masked: figureOf(masked.roundSeconds) }
}

/** Where a masked round's time goes, in milliseconds. */
const rowsOf = ({ rowMs }: PlayedRun): string =>
  ['advertise', 'deal', 'key', 'contribute', 'prepare', 'release', 'attest']
    .flatMap((row) => (rowMs[row] === undefined ? [] : [`${row} ${rowMs[row].toFixed(0)}`]))
    .join(', ')
