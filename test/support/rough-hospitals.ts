import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectChain, type EthersReader } from '#adapters/chain/ethers-chain.ts'
import type { DevChain, DevChainOptions } from '#adapters/devchain/anvil.ts'
import { freePort } from '#adapters/devchain/machine.ts'
import { type RoundStory, roundStories } from '#app/node/round-story.ts'
import { address, type RunId } from '#base/ids.ts'
import { type Hospital, type HospitalRows, type Hospitals, makeHospitals, PACED, type Surroundings } from './hospitals.ts'
import { type Door, Line, openProxy } from './proxy.ts'

/** Packages as the command line reads them. */
const BUNDLED = new URL('../../node/cli/bundled.mjs', import.meta.url).href
const STRUCK_NODE = join(import.meta.dirname, 'struck-node.ts')

/** Hospitals whose lines to one another and to the chain can be bent, and whose nodes strike themselves when a test says so. */
export interface RoughHospitals extends Hospitals {
  /** Where strikes are armed. */
  readonly strikes: string
  readonly reader: EthersReader
  /** Between two sites, whoever dials. */
  line(a: number, b: number): Line
  chainLine(site: number): Line
  stories(run: RunId): Promise<readonly RoundStory[]>
  /** The run's stories, once they fit. @throws Error with the last stories when they do not in time */
  untilStories(run: RunId, fits: (stories: readonly RoundStory[]) => boolean, what: string, withinMs?: number): Promise<readonly RoundStory[]>
  /** The state in which these sites' nodes (default: all) saw the run end. @throws Error with what they said last when they do not in time */
  untilOver(run: RunId, sites?: readonly number[], withinMs?: number): Promise<readonly string[]>
}

export interface RoughOptions {
  /** Default: four blocks a second. */
  readonly chain?: DevChainOptions
  /** Lines between sites can be told apart: each node then dials from a loopback address of its own, which only Linux gives it. */
  readonly lines?: boolean
  /** A neural study's weights shrink a little instead of being trained: what is tested is what moves. */
  readonly untrained?: boolean
}

/** Why lines between sites cannot be bent here, or false. */
export const noLines = process.platform === 'linux' ? false : 'only on Linux a process may dial from any loopback address'

export async function makeRoughHospitals(sites: readonly HospitalRows[], label: string, options: RoughOptions = {}): Promise<RoughHospitals> {
  const { chain = PACED, lines = false, untrained = false } = options
  let wiring: Wiring | undefined
  const hospitals = await makeHospitals(sites, label, chain, async (devChain, dir) => {
    wiring = await wire(devChain, dir, sites.length, lines, untrained ? ['--untrained'] : [])
    return wiring
  })
  const { strikes, line, chainLine } = wiring as Wiring
  const reader = await connectChain({ url: hospitals.chain.url, contracts: address(hospitals.contracts), signer: null })
  const stories = async (run: RunId) => roundStories(await reader.events(0, { run }), run)
  return {
    ...hospitals,
    strikes,
    reader,
    line,
    chainLine,
    stories,
    async untilStories(run, fits, what, withinMs = 180_000) {
      for (const end = Date.now() + withinMs; ; await sleep(25)) {
        const told = await stories(run)
        if (fits(told)) return told
        if (Date.now() > end) throw new Error(`not within ${withinMs} ms: ${what}\n${told.slice(-4).map(inAWord).join('\n')}\n${lastWords(hospitals)}`)
      }
    },
    async untilOver(run, sites = [...hospitals.folders.keys()], withinMs = 180_000) {
      const over = await Promise.allSettled(sites.map((site) => overAt(hospitals.nodes[site], run, withinMs)))
      if (over.every((one) => one.status === 'fulfilled')) return over.map(({ value }) => value)
      const late = sites.filter((_, i) => over[i]?.status === 'rejected')
      const why = over.flatMap((one) => (one.status === 'rejected' ? [String(one.reason).split('\n')[0]] : []))
      const told = (await stories(run)).map(inAWord).join('\n')
      throw new Error(`run ${run} is not over for ${late.join(', ')} (${why.join('; ')}), at ${Date.now()}\n${told}\n${lastWords(hospitals, late)}`)
    },
    async stop() {
      await reader.stop()
      await hospitals.stop()
    },
  }
}

/** How a run ended as this site's node saw it. @throws Error when it did not say so in time, or ended before */
async function overAt(node: Hospital | undefined, run: RunId, withinMs: number): Promise<string> {
  const over = await node?.until((e) => e.event === 'run-over' && e.run === run, withinMs)
  return over?.event === 'run-over' ? over.state : 'unknown'
}

export const inAWord = ({ round, state, leader, publisher, included, missing, attempts, openedAt, endedAt }: RoundStory): string =>
  `round ${round} ${state}: leader ${leader}, published by ${publisher}, in ${included.join(' ')}, missing ${missing.join(' ')}, ${attempts} attempts, ${openedAt} to ${endedAt}`

/** @param sites those that matter most first; whose words they are is all that is seen of a long error */
const lastWords = ({ nodes }: Hospitals, sites: readonly number[] = [...nodes.keys()]): string =>
  sites.map((site) => `── site ${site}\n${nodes[site]?.said().slice(-4_000)}`).join('\n')

interface Wiring extends Surroundings {
  readonly strikes: string
  line(a: number, b: number): Line
  chainLine(site: number): Line
}

const homeOf = (site: number): string => `127.0.1.${site + 1}`
const siteAt = (caller: string): number => Number(caller.split('.').at(-1)) - 1

async function wire(chain: DevChain, dir: string, sites: number, lines: boolean, more: readonly string[]): Promise<Wiring> {
  const between = new Map<string, Line>()
  const line = (a: number, b: number): Line => {
    const key = [a, b].sort((x, y) => x - y).join(' ')
    const known = between.get(key) ?? new Line()
    between.set(key, known)
    return known
  }
  const strikes = join(dir, 'strikes')
  await mkdir(strikes)
  const chainLines = Array.from({ length: sites }, () => new Line())
  const before = await Promise.all(chainLines.map((to) => openProxy(chain.port, () => to)))
  const ports = await Promise.all(chainLines.map(() => freePort()))
  const doors: Door[] = lines ? await Promise.all(ports.map((port, site) => openProxy(port, (caller) => line(siteAt(caller), site)))) : []
  return {
    strikes,
    line,
    chainLine: (site) => chainLines[site] as Line,
    chainUrl: (site) => `ws://127.0.0.1:${before[site]?.port}`,
    addresses: (site) => ({
      listen: [`/ip4/127.0.0.1/tcp/${ports[site]}`],
      announce: doors[site] === undefined ? [] : [`/ip4/127.0.0.1/tcp/${doors[site].port}`],
    }),
    command: (site, folder, options) => [
      ...options,
      '--import',
      BUNDLED,
      STRUCK_NODE,
      folder,
      `${site}`,
      strikes,
      ...(lines ? ['--calls-from', homeOf(site)] : []),
      ...more,
    ],
    async stop() {
      for (const proxy of [...doors, ...before]) await proxy.stop()
    },
  }
}
