import { loadavg } from 'node:os'
import { resolve } from 'node:path'
import type { DevChainOptions } from '#adapters/devchain/anvil.ts'
import { figureOf } from './figures.ts'
import { playSecAgg } from './flower.ts'
import type { BenchOptions } from './options.ts'
import type { PeerFigures } from './peers.ts'
import { type PlayedRun, playRun } from './play-run.ts'
import type { Row } from './row.ts'
import { FIVE, fiveSites, weightsOf } from './studies.ts'

/** Inner layers of a network; null: a regression of 14 weights. */
type Hidden = readonly [number, number] | null
const MILLION = [1_000, 985] as const
/** Of Flower's, which takes about a minute for each. */
const PEER_ROUNDS = 3
/** The most that a round may take of that minute. */
const SHARE = 1 / 5

/** Blocks at their times, as validators make them: a round takes as many as its calls need one after the other. */
const VALIDATORS: DevChainOptions = { blockTimeSeconds: 0.25 }
/** Each call is mined at once: a round takes what its nodes' work takes, all five on this machine. */
const AT_ONCE: DevChainOptions = {}

/** A round of a masked study beside the same round of an open one, in the same five processes' worth of work, one run after the other; and beside Flower's. */
export async function maskedRows(options: BenchOptions, { flower }: PeerFigures): Promise<Row[]> {
  const paced = await compared('14 weights, four blocks a second', null, options.rounds, options, VALIDATORS)
  const small = await compared('14 weights, a block for each call', null, options.rounds, options, AT_ONCE)
  const rounds = Math.max(4, Math.ceil(options.rounds / 2))
  const what = `1 million weights (${weightsOf(MILLION)})`
  const large = await compared(`${what}, a block for each call`, MILLION, rounds, options, AT_ONCE)
  const rows = [paced.row, small.row, large.row]
  if (!options.peers) return rows
  const work = `masked round, five processes, ${what}`
  if ('none' in flower) return [...rows, besidePeer(work, [large.masked], flower.none)]
  const app = resolve(options.shared, 'peers/flower/secagg')
  const theirs = await turn(async () => {
    const { roundSeconds, cpuSeconds } = await playSecAgg({ bin: flower.bin, app, sites: FIVE, weights: weightsOf(MILLION), rounds: PEER_ROUNDS })
    return { roundSeconds, cpuSeconds: figureOf([cpuSeconds]) }
  })
  // Once before it and once after it: whoever else is on the machine is there for all three.
  const after = await turn(() => play('masked', MILLION, rounds, options, AT_ONCE))
  return [...rows, besidePeer(work, [large.masked, after], theirs)]
}

/** One stay of a product on the machine. */
interface Turn extends Pick<PlayedRun, 'roundSeconds' | 'cpuSeconds'> {
  /** Of the machine as it ended, this product's own included. */
  readonly load: number
}

async function turn<T extends Pick<Turn, 'roundSeconds' | 'cpuSeconds'>>(take: () => Promise<T>): Promise<T & Turn> {
  const run = await take()
  return { ...run, load: loadavg()[0] as number }
}

/** @param theirs what the peer took in between, or why it took nothing */
export function besidePeer(work: string, ours: readonly Turn[], theirs: Turn | string): Row {
  const rota = figureOf(ours.flatMap(({ roundSeconds }) => roundSeconds))
  if (typeof theirs === 'string') return { work, unit: 's', rota, bar: null, peers: [], note: `not beside Flower's SecAgg+: ${theirs}` }
  const flower = figureOf(theirs.roundSeconds)
  const cpu = (turns: readonly Turn[]): string => figureOf(turns.map(({ cpuSeconds }) => cpuSeconds.median)).median.toFixed(1)
  const loads = [ours[0], theirs, ...ours.slice(1)].flatMap((each) => each?.load.toFixed(1) ?? [])
  return {
    ...{ work, unit: 's', rota, bar: flower.median * SHARE, peers: [{ name: 'Flower SecAgg+', ...flower }] },
    note: `${cpu(ours)} CPU s a round of all nodes, Flower's ${cpu([theirs])}; Rota before and after Flower, load at the end of each ${loads.join(', ')}`,
  }
}

interface Compared {
  readonly row: Row
  readonly masked: PlayedRun & Turn
}

async function compared(what: string, hidden: Hidden, rounds: number, options: BenchOptions, chain: DevChainOptions): Promise<Compared> {
  const open = await play('open', hidden, rounds, options, chain)
  const masked = await turn(() => play('masked', hidden, rounds, options, chain))
  const plain = figureOf(open.roundSeconds).median
  const row: Row = {
    work: `masked round / open round, five processes, ${what}`,
    unit: '×',
    rota: figureOf(masked.roundSeconds.map((seconds) => seconds / plain)),
    bar: 1.3,
    peers: [],
    note: `${figureOf(masked.roundSeconds).median.toFixed(3)} s masked (${masked.cpuSeconds.median.toFixed(2)} CPU s), ${plain.toFixed(3)} s open (${open.cpuSeconds.median.toFixed(2)} CPU s); ${(masked.peersOut.median / 1000).toFixed(0)} kB and ${(open.peersOut.median / 1000).toFixed(0)} kB up a site; ${blocksOf(masked)} and ${blocksOf(open)} blocks; rows ${rowsOf(masked)}`,
  }
  return { row, masked }
}

const play = (mode: 'open' | 'masked', hidden: Hidden, rounds: number, { profiles }: BenchOptions, chain: DevChainOptions): Promise<PlayedRun> =>
  playRun(fiveSites(mode, rounds, hidden), { rounds, chain, profiles, noise: hidden !== null })

const blocksOf = ({ roundBlocks }: PlayedRun): number => figureOf(roundBlocks).median

/** Where a masked round's time goes, in milliseconds. */
const rowsOf = ({ rowMs }: PlayedRun): string =>
  ['advertise', 'deal', 'key', 'contribute', 'prepare', 'release', 'attest']
    .flatMap((row) => (rowMs[row] === undefined ? [] : [`${row} ${rowMs[row].toFixed(0)}`]))
    .join(', ')
