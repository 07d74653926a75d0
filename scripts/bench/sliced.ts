/**
 * Rounds of simulated sites in this one process with a model cut into as many slices as sites; one JSON line.
 *   node scripts/bench/sliced.ts SITES HIDDEN ROUNDS
 * HIDDEN: units of each of two hidden layers.
 *
 * Every site does all that it does elsewhere, with an update of its own. To fit into one machine, what lies on their disks is in a file, a few at a time make
 * updates and take the step, and who has done so looks at the chain again when all have.
 */
import process from 'node:process'
import { rulesOf } from '#app/protocol/study-rules.ts'
import { simulateNetwork } from '#app/simulate/simulated-network.ts'
import { keepAtMost } from '#base/large-memory.ts'
import type { Trainer } from '#ports/trainer.ts'
import { FewAtOnce } from './few-at-once.ts'
import { fileShelf } from './file-shelf.ts'
import { MovedBytes } from './moved-bytes.ts'
import { OnceAll } from './once-all.ts'
import { slicedSites, weightsOf } from './studies.ts'

/** Round 1 sums moments. */
const FIRST = 2
const AT_ONCE = 4
const [sites, hidden, rounds] = process.argv.slice(2).map(Number) as [number, number, number]
/** What moves is measured, not what is trained. */
const shrinking: Trainer = { backend: 'none', train: async (task) => task.weights.map((weight) => 0.99 * weight), stop: async () => undefined }
const study = slicedSites(sites, [hidden, hidden], rounds)
const moved = new MovedBytes(sites, FIRST, FIRST + rounds - 1)
const turns = new FewAtOnce(AT_ONCE)
const shelf = fileShelf()
keepAtMost(0)

type Step = 'contributed' | 'attested'
const STEPS: readonly Step[] = ['contributed', 'attested']
const steps = new Map<string, OnceAll>()

function all(step: Step, round: number): OnceAll {
  const known = steps.get(`${round} ${step}`) ?? new OnceAll(sites)
  steps.set(`${round} ${step}`, known)
  return known
}

const network = await simulateNetwork({
  ...{ seed: 1, sites: study.sites, protocol: study.protocol, rules: await rulesOf(study.protocol), trainer: shrinking },
  tell({ id }, progress) {
    if (progress.kind === 'step' && progress.row === 'contribute') all('contributed', progress.round).done(id)
    if (progress.kind === 'step' && progress.row === 'attest') all('attested', progress.round).done(id)
  },
  onWorld(world) {
    world.disks.shelf = shelf
    moved.listen(world)
  },
  hooks: ({ id }) => ({
    seen({ round, model }) {
      turns.leave(id)
      moved.seen(round.round, model.cid)
    },
    async beforeRow(row, { round }) {
      if (round.round < FIRST) return
      if (row === 'wait') for (const step of STEPS) await all(step, round.round).wait(id)
      if (row === 'contribute' || row === 'attest') await turns.enter(id)
    },
  }),
})
const view = await network.finish(await network.openRun()).finally(() => shelf.close())
const voids = (await network.events()).filter(({ kind }) => kind === 'RoundVoid').length
network.stop()
const perRound = (of: 'bytesIn' | 'bytesOut'): number[] => moved.total(of).map((bytes) => bytes / rounds)
const [bytesIn, bytesOut] = [perRound('bytesIn'), perRound('bytesOut')]
const { user, system } = process.cpuUsage()
process.stdout.write(
  `${JSON.stringify({
    ...{ state: view.state, voids, sites: bytesIn.length, modelBytes: 4 * weightsOf([hidden, hidden]), bytesIn, bytesOut },
    ...{ rssBytes: process.resourceUsage().maxRSS * 1024, cpuSeconds: (user + system) / 1e6 },
  })}\n`,
)
