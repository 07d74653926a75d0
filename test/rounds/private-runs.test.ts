import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { drawFaults } from '#adapters/sim/draw-faults.ts'
import { type FaultPlan, NO_FAULTS } from '#adapters/sim/faults.ts'
import { SimRandom } from '#adapters/sim/random.ts'
import type { DraftProtocol } from '#app/protocol/protocol-schema.ts'
import { sha256 } from '#app/sha256.ts'
import { type SimulatedNetwork, simulateNetwork } from '#app/simulate/simulated-network.ts'
import { rulesOf } from '#app/study/studies.ts'
import { sizeOf } from '#base/bitmap.ts'
import { siteId } from '#base/ids.ts'
import { addWord, epsilonOfWord } from '#core/privacy/chain-lanes.ts'
import { policyWords } from '#core/protocol/private-rounds.ts'
import type { PrivacySpec } from '#core/protocol/protocol.ts'
import { ABSTAIN_REASONS, type ChainEvent, type RunView } from '#ports/chain.ts'
import { datasetId, USUAL_DATASET } from '#wire/dataset.ts'
import { generatedStudy, LOGISTIC } from '../support/studies.ts'

/*
  A study with differential privacy, played by real nodes on a simulated chain
  ├── every contribution is charged before it, once, that of the test metrics among them, and the ledger has what the noise costs
  ├── another run goes on spending the same budget; beyond the limit sites abstain and say why
  ├── a site that dies around its charge is charged once for the round
  ├── a site with too few patients is not charged
  └── behind masks the sites make the noise together; under faults a contribution is charged once
*/
/** Of the fit, and one more for its test metrics. */
const [ROUNDS, CHARGED] = [3, 4]
const DATASET = datasetId(USUAL_DATASET, sha256)
const only = <K extends ChainEvent['kind']>(events: readonly ChainEvent[], kind: K) =>
  events.filter((event): event is Extract<ChainEvent, { kind: K }> => event.kind === kind)

const privateStudy = (privacy: Partial<DraftProtocol['privacy']> = {}) =>
  generatedStudy({
    sites: 4,
    learner: { ...LOGISTIC, maxIterations: ROUNDS },
    change: { privacy: { epsilon: 3, delta: 1e-4, minPatients: 20, ...privacy } },
  })

async function open(study: ReturnType<typeof privateStudy>, faults?: FaultPlan, told: string[] = []): Promise<SimulatedNetwork> {
  const { protocol, sites } = study
  return simulateNetwork({
    seed: 1,
    sites,
    protocol,
    rules: await rulesOf(protocol),
    ...(faults === undefined ? {} : { faults }),
    tell: (site, progress) => {
      if (progress.kind === 'abstained') told.push(`${site.id}: ${progress.detail}`)
    },
  })
}

async function play(
  study: ReturnType<typeof privateStudy>,
  faults?: FaultPlan,
  told: string[] = [],
): Promise<{ view: RunView; events: readonly ChainEvent[] }> {
  const network = await open(study, faults, told)
  const view = await network.finish(await network.openRun())
  const events = await network.events()
  network.stop()
  return { view, events }
}

describe('a run with differential privacy', () => {
  it('charges each contribution before it, and goes on spending in the next run until the limit', async () => {
    const study = privateStudy()
    const told: string[] = []
    const network = await open(study, undefined, told)
    const privacy = study.protocol.privacy as PrivacySpec
    const { charge } = policyWords(privacy)
    const first = await network.finish(await network.openRun())
    assert.equal(first.state, 'Finished')
    let events = await network.events()
    assert.equal(only(events, 'RoundClosed').length, CHARGED)
    assert.equal(only(events, 'Charged').length, 4 * CHARGED)
    for (const { site, round, index, block } of only(events, 'Contributed')) {
      const paid = only(events, 'Charged').find((event) => event.site === site && event.round === round)
      assert.ok(paid !== undefined && (paid.block < block || (paid.block === block && paid.index < index)), `site ${site}, round ${round}`)
    }
    const spent = await network.world.node(network.world.site(0)).spent(siteId(0), DATASET)
    assert.equal(spent, addWord(addWord(addWord(charge, charge), charge), charge))
    assert.ok(epsilonOfWord(spent, privacy.delta) <= 3)

    // The same protocol once more: the noise was chosen for three rounds and their metrics, so there is no fifth.
    const run = await network.openRun()
    const ofRun = async (): Promise<readonly ChainEvent[]> => (await network.events()).filter((event) => 'run' in event && event.run === run)
    for (let look = 0; look < 100 && only(await ofRun(), 'Abstained').length < 4; look++) await network.world.time.sleep(500)
    events = await ofRun()
    network.stop()
    assert.equal(only(events, 'Charged').length + only(events, 'Contributed').length, 0)
    const abstained = only(events, 'Abstained')
    assert.deepEqual([...new Set(abstained.map(({ reason }) => ABSTAIN_REASONS[reason]))], ['privacySpent'])
    assert.ok(told.some((text) => text.includes('ROTA-5313')))
  })

  it('plays behind masks, with noise that the sites make together', async () => {
    const { protocol, sites } = generatedStudy({
      sites: 5,
      learner: { ...LOGISTIC, maxIterations: 2 },
      change: {
        mode: 'masked',
        minSites: 5,
        quorum: 4,
        maxSites: 5,
        privacy: { epsilon: 3, delta: 1e-4, place: 'distributed' },
      },
    })
    const { view, events } = await play({ protocol, sites } as ReturnType<typeof privateStudy>)
    assert.equal(view.state, 'Finished')
    assert.deepEqual([only(events, 'Keyed').length, only(events, 'Charged').length, only(events, 'RoundClosed').length], [15, 15, 3])
  })

  for (const when of ['before', 'after'] as const)
    it(`charges a round once where a site dies ${when} its charge`, async () => {
      for (const point of ['journal.charged', 'chain.charge'] as const) {
        const { view, events } = await play(privateStudy(), { ...NO_FAULTS, crashes: [{ site: siteId(1), point, when, nth: 1, backAfterMs: 2_000 }] })
        assert.equal(view.state, 'Finished', point)
        const mine = only(events, 'Charged').filter(({ site }) => site === siteId(1))
        assert.equal(mine.length, new Set(mine.map(({ round }) => round)).size, point)
        assert.ok(mine.length >= only(events, 'Contributed').filter(({ site }) => site === siteId(1)).length, point)
      }
    })

  it('comes to its end whatever a seed draws, each contribution charged once', async (t) => {
    const seeds = Number(process.env.ROTA_SEEDS ?? 8)
    const study = privateStudy({ epsilon: 20, noise: 6, metrics: 6 })
    for (let seed = 1; seed <= seeds; seed++) {
      const { view, events } = await play(study, drawFaults(new SimRandom(`private ${seed}`), 4))
      const charged = only(events, 'Charged').map(({ round, site }) => `${round}/${site}`)
      assert.equal(view.state, 'Finished', `seed ${seed}`)
      assert.equal(new Set(charged).size, charged.length, `seed ${seed}`)
      assert.ok(
        only(events, 'Contributed').every(({ round, site }) => charged.includes(`${round}/${site}`)),
        `seed ${seed}`,
      )
    }
    t.diagnostic(`${seeds} seeds`)
  })

  it('leaves out, uncharged, a site with fewer patients than the policy asks for', async () => {
    const study = privateStudy({ minPatients: 70 })
    const rows = study.sites.map(({ rows }) => rows.train.rows)
    const small = rows.flatMap((count, site) => (count < 70 ? [siteId(site)] : []))
    assert.equal(small.length, 1, `${rows}`)
    const told: string[] = []
    const { view, events } = await play(study, undefined, told)
    assert.equal(view.state, 'Finished')
    assert.equal(only(events, 'Charged').filter(({ site }) => site === small[0]).length, 0)
    assert.ok(only(events, 'Frozen').every(({ included }) => sizeOf(included) === 3))
    assert.ok(told.some((text) => text.includes('ROTA-2383')))
  })
})
