/**
 * A run of 100 simulated sites in this one process; one JSON line.
 *   node scripts/bench/simulated.ts SITES ROUNDS
 */
import process from 'node:process'
import { rulesOf } from '#app/protocol/study-rules.ts'
import { simulateNetwork } from '#app/simulate/simulated-network.ts'
import { manySites } from './studies.ts'

const [sites, rounds] = process.argv.slice(2).map(Number) as [number, number]
const study = manySites(sites, rounds)
const openedMs: number[] = []
const network = await simulateNetwork({
  ...{ seed: 1, deaf: true, sites: study.sites, protocol: study.protocol, rules: await rulesOf(study.protocol) },
  hooks: () => ({
    seen({ round }) {
      openedMs[round.round] ??= performance.now()
    },
  }),
})
await network.finish(await network.openRun())
network.stop()
// Round 1 sums moments, and code is still compiled in round 2.
const seconds = openedMs.slice(4).map((at, i) => (at - (openedMs[i + 3] as number)) / 1000)
process.stdout.write(`${JSON.stringify({ seconds, rssBytes: process.resourceUsage().maxRSS * 1024 })}\n`)
