/**
 * Rounds of simulated sites in this one process with a model cut into as many slices as sites; one JSON line.
 *   node scripts/bench/sliced.ts SITES HIDDEN ROUNDS
 * HIDDEN: units of each of two hidden layers.
 */
import process from 'node:process'
import { rulesOf } from '#app/protocol/study-rules.ts'
import { simulateNetwork } from '#app/simulate/simulated-network.ts'
import type { Trainer } from '#ports/trainer.ts'
import { slicedSites, weightsOf } from './studies.ts'

const [sites, hidden, rounds] = process.argv.slice(2).map(Number) as [number, number, number]
/** What moves is measured, not what is trained. */
const shrinking: Trainer = { backend: 'none', train: async (task) => task.weights.map((weight) => 0.99 * weight), stop: async () => undefined }
const study = slicedSites(sites, [hidden, hidden], rounds)
const traffic = new Map<number, { readonly bytesIn: number; readonly bytesOut: number }[]>()
let closed = 0

const network = await simulateNetwork({
  ...{ seed: 1, sites: study.sites, protocol: study.protocol, rules: await rulesOf(study.protocol), trainer: shrinking },
  hooks: ({ id, store, gossip }) => ({
    seen({ round: { round } }) {
      closed = Math.max(closed, round - 1)
      const of = traffic.get(id) ?? []
      traffic.set(id, of)
      of[round] ??= { bytesIn: store.traffic.bytesIn + gossip.traffic.bytesIn, bytesOut: store.traffic.bytesOut + gossip.traffic.bytesOut }
    },
  }),
})
const view = await network.finish(await network.openRun())
const voids = (await network.events()).filter(({ kind }) => kind === 'RoundVoid').length
network.stop()
/** Of each site, from the opening of the first round of training to that of the evaluation: round 1 sums moments. */
const perRound = (of: 'bytesIn' | 'bytesOut'): number[] =>
  [...traffic.values()].map((at) => ((at[2 + rounds]?.[of] ?? Number.NaN) - (at[2]?.[of] ?? Number.NaN)) / rounds)
const most = (of: 'bytesIn' | 'bytesOut'): number => Math.max(...perRound(of))
const { user, system } = process.cpuUsage()
process.stdout.write(
  `${JSON.stringify({
    ...{
      state: view.state,
      voids,
      sites: traffic.size,
      modelBytes: 4 * weightsOf([hidden, hidden]),
      bytesIn: perRound('bytesIn'),
      bytesOut: perRound('bytesOut'),
    },
    ...{ mostIn: most('bytesIn'), mostOut: most('bytesOut'), rssBytes: process.resourceUsage().maxRSS * 1024, cpuSeconds: (user + system) / 1e6 },
  })}\n`,
)
