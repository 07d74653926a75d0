import { connectChain } from '#adapters/chain/ethers-chain.ts'
import type { DevChainOptions } from '#adapters/devchain/anvil.ts'
import { roundStories } from '#app/node/round-story.ts'
import { address, type RunId } from '#base/ids.ts'
import { type Figure, figureOf } from './figures.ts'
import { type BenchNetwork, makeNetwork } from './hospitals.ts'
import type { NodeLine, NodeProcess } from './node-process.ts'
import type { BenchStudy } from './studies.ts'
import type { WireBytes } from './wire-meter.ts'

/** One run of processes, as its nodes saw it, and what became of its rounds, as the log tells it. */
export interface PlayedRun extends ClosedRounds {
  /** Seconds from a round's opening to the next one's, rounds of the fit alone. */
  readonly roundSeconds: readonly number[]
  readonly roundBlocks: readonly number[]
  /** CPU seconds of all nodes together, a round. */
  readonly cpuSeconds: Figure
  /** The most that any node ever held. */
  readonly peakRssBytes: number
  /** Of a site on average, each round. */
  readonly peersOut: Figure
  readonly peersIn: Figure
  /** Of every site, a round on average. */
  readonly sitesOut: readonly number[]
  readonly sitesIn: readonly number[]
  readonly chainOut: Figure
  readonly chainIn: Figure
  /** From the start of the processes to the end of round 1. */
  readonly startSeconds: number
  /** Where a round's time goes: median of each row's milliseconds over all nodes. */
  readonly rowMs: Readonly<Record<string, number>>
}

export interface ClosedRounds {
  readonly roundsOpened: number
  readonly roundsClosed: number
  /** Sites in the smallest set that a round was frozen with. */
  readonly fewestIn: number
}

export interface PlayOptions {
  readonly rounds: number
  readonly chain?: DevChainOptions
  readonly noise?: boolean
  readonly profiles?: string | undefined
}

const ROUND_LIMIT_MS = 60_000

/** Rounds 1 (moments) and the last (evaluation) are other work, and round 2 is where code is still compiled: they are left out. */
const FIRST = 3

/** @throws Error where the run does not end as it should, or a round of it is void or refused: its figures would be another run's */
export async function playRun(study: BenchStudy, { rounds, chain, ...start }: PlayOptions): Promise<PlayedRun> {
  const network = await makeNetwork(study, chain)
  try {
    const startedMs = Date.now()
    const nodes = await network.startNodes(start)
    const run = await network.openRun()
    await Promise.all(nodes.map((node) => node.until((line) => line.event === 'over' && line.run === run, ROUND_LIMIT_MS * (rounds + 3))))
    return { ...summary(nodes, rounds, startedMs), ...(await allClosed(network, run)) }
  } finally {
    await network.stop()
  }
}

async function allClosed({ chain, contracts }: BenchNetwork, run: RunId): Promise<ClosedRounds> {
  const reader = await connectChain({ url: chain.url, contracts: address(contracts), signer: null })
  try {
    const stories = roundStories(await reader.events(0, { run }), run)
    const { state } = await reader.run(run)
    const others = stories.filter((story) => story.state !== 'closed').map((story) => `round ${story.round} ${story.state}`)
    if (state !== 'Finished' || others.length > 0) throw new Error(`the run is ${[state, ...others].join(', ')}`)
    return { roundsOpened: stories.length, roundsClosed: stories.length - others.length, fewestIn: Math.min(...stories.map(({ included }) => included.length)) }
  } finally {
    await reader.stop()
  }
}

function summary(nodes: readonly NodeProcess[], rounds: number, startedMs: number): Omit<PlayedRun, keyof ClosedRounds> {
  const opened = (node: NodeProcess, round: number) => node.lines.find((line) => line.event === 'opened' && line.round === round) as NodeLine
  const firstSeen = (round: number): number => Math.min(...nodes.map((node) => opened(node, round).atMs))
  // Round 1 counts moments, rounds 2 … rounds + 1 fit; round `rounds + 2` evaluates.
  const fit = Array.from({ length: rounds + 2 - FIRST }, (_, i) => FIRST + i)
  const perRound = (of: (line: NodeLine) => number): number[] =>
    fit.map((round) => nodes.reduce((sum, node) => sum + of(opened(node, round + 1)) - of(opened(node, round)), 0))
  const [first, last] = [fit[0] as number, (fit.at(-1) as number) + 1]
  const ofEach = (of: (wire: WireBytes) => number): number[] => nodes.map((node) => (of(opened(node, last).wire) - of(opened(node, first).wire)) / fit.length)
  const perSite = (of: (wire: WireBytes) => number): Figure => figureOf(perRound((line) => of(line.wire)).map((bytes) => bytes / nodes.length))
  return {
    roundSeconds: fit.map((round) => (firstSeen(round + 1) - firstSeen(round)) / 1000),
    roundBlocks: fit.map((round) => (opened(nodes[0] as NodeProcess, round + 1).block as number) - (opened(nodes[0] as NodeProcess, round).block as number)),
    cpuSeconds: figureOf(perRound((line) => line.cpuMs / 1000)),
    peakRssBytes: Math.max(...nodes.map((node) => node.lines.findLast((line) => line.event === 'over')?.rssBytes ?? 0)),
    peersOut: perSite((wire) => wire.peersOut),
    peersIn: perSite((wire) => wire.peersIn),
    sitesOut: ofEach((wire) => wire.peersOut),
    sitesIn: ofEach((wire) => wire.peersIn),
    chainOut: perSite((wire) => wire.chainOut),
    chainIn: perSite((wire) => wire.chainIn),
    startSeconds: (firstSeen(2) - startedMs) / 1000,
    rowMs: rowTimes(nodes, fit),
  }
}

function rowTimes(nodes: readonly NodeProcess[], fit: readonly number[]): Record<string, number> {
  const times = new Map<string, number[]>()
  for (const node of nodes)
    for (const line of node.lines) {
      if (line.event !== 'step' || !fit.includes(line.round ?? 0)) continue
      const row = line.row ?? ''
      times.set(row, [...(times.get(row) ?? []), line.ms ?? 0])
    }
  return Object.fromEntries([...times].map(([row, ms]) => [row, figureOf(ms).median]))
}
