import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { SimAccount } from '#adapters/sim/chain/account.ts'
import { type FaultPlan, NO_FAULTS } from '#adapters/sim/faults.ts'
import { addressOf } from '#adapters/sim/hash.ts'
import type { SimPorts } from '#adapters/sim/site.ts'
import { sha256 } from '#app/sha256.ts'
import { simulateNetwork } from '#app/simulate/simulated-network.ts'
import { rulesOf } from '#app/study/studies.ts'
import { type SiteId, siteId } from '#base/ids.ts'
import { outlineOf } from '#core/commit/outline.ts'
import type { Model } from '#core/model/model.ts'
import { refused } from '#core/model/refuse.ts'
import type { LearnerSpec, Protocol } from '#core/protocol/protocol.ts'
import type { ChainEvent, ModelRef } from '#ports/chain.ts'
import { decodeModel, encodeModel } from '#wire/model.ts'
import { generatedStudy } from '../support/studies.ts'

// given sites that refuse a true sum and name a model of their own as the base that stays
// ├── when others are away, so that nobody has a majority, the run does not stand on it, and goes on once they are back
// └── when votes divide the sound sites, these agree on the base at the next publication, and it is the run's
const FEDAVG: LearnerSpec = { kind: 'logistic', algorithm: 'fedavg', rounds: 2, localSteps: 2, learningRate: 0.5, l2: 0.01, standardise: 'pooled' }
/** Moments are summed in the first round. */
const ROUND = 2

interface Options {
  readonly sites: number
  readonly liars: readonly SiteId[]
  /** Sites that find the first publication's model worse on their own rows. */
  readonly against?: readonly SiteId[]
  readonly faults?: Partial<FaultPlan>
  readonly change?: Partial<Protocol>
}

/** The base that stays, and what the liars name in its place, as objects that every site can fetch. */
interface Named {
  readonly stays: ModelRef
  readonly forged: ModelRef
}

function saying(t: TestContext, named: () => Named | null, { liars, against = [] }: Options): void {
  const { attest } = SimAccount.prototype
  const accounts = (sites: readonly SiteId[]): readonly string[] => sites.map((site) => addressOf('node', site))
  const [lying, voting] = [accounts(liars), accounts(against)]
  t.mock.method(SimAccount.prototype, 'attest', function (this: SimAccount, ...args: Parameters<typeof attest>) {
    const [run, round, attempt, , , own] = args
    const models = named()
    if (round !== ROUND || models === null) return attest.apply(this, args)
    if (lying.includes(this.account)) return attest.call(this, run, round, attempt, models.forged, 'refused', own)
    if (attempt === 0 && voting.includes(this.account)) return attest.call(this, run, round, attempt, models.stays, 'refused', own)
    return attest.apply(this, args)
  })
}

async function play(t: TestContext, options: Options) {
  const { sites, liars, change = {}, faults = {} } = options
  const study = generatedStudy({ sites, rows: 60, learner: FEDAVG, change })
  let named: Named | null = null
  saying(t, () => named, options)
  /** What the first round makes is the second one's base. */
  const listen = ({ store }: SimPorts): void => {
    const put = store.put.bind(store)
    store.put = async (bytes, outline, kind, key, signal, slices) => {
      const base = kind === 'model' && named === null ? decodeModel(bytes) : null
      if (base?.stage === 'fit') {
        const keep = (model: Model): Promise<ModelRef> => {
          const made = encodeModel(model)
          return put(made, outlineOf(made, sha256), 'model', key, signal)
        }
        named = { stays: await keep(refused(base)), forged: await keep({ ...base, state: { ...base.state, iteration: 1 } }) }
      }
      return put(bytes, outline, kind, key, signal, slices)
    }
  }
  const adopted: string[] = []
  const network = await simulateNetwork({
    seed: 1,
    sites: study.sites,
    protocol: study.protocol,
    rules: await rulesOf(study.protocol),
    faults: { ...NO_FAULTS, ...faults },
    tell: (_, progress) => void (progress.kind === 'adopted' && adopted.push(progress.modelRoot)),
    hooks: (ports) => {
      if (liars.includes(ports.id)) listen(ports)
      return {}
    },
  })
  try {
    const run = await network.openRun()
    const { world } = network
    while (world.chain.run(run).state === 'Active') await world.time.sleep(1_000)
    return { view: world.chain.run(run), events: await network.events(), adopted, named: named as Named | null }
  } finally {
    network.stop()
  }
}

const refusals = (events: readonly ChainEvent[]) => events.filter((e) => e.kind === 'RoundRefused')

describe('a refusal that names another model than the base', { timeout: 120_000 }, () => {
  it('by one of five, while two are away, leads the run nowhere', async (t) => {
    const away = [1, 2].map((site) => ({ site: siteId(site), point: 'chain.attest', when: 'before', nth: ROUND, backAfterMs: 120_000 }) as const)
    const { view, events, adopted, named } = await play(t, { sites: 5, liars: [siteId(0)], faults: { crashes: away } })
    assert.ok(
      events.some((e) => e.kind === 'Attested' && e.modelRoot === named?.forged.root),
      'it was said',
    )
    assert.ok(events.some((e) => e.kind === 'PublicationDiscarded' && e.round === ROUND))
    assert.deepEqual(refusals(events), [])
    assert.ok(!adopted.includes(named?.forged.root ?? ''))
    assert.equal(view.state, 'Finished')
  })

  it('by two of seven, before votes divide the others three to two, does not become the base', async (t) => {
    const change = { mode: 'masked', minSites: 5, quorum: 4, maxSites: 7, validation: { tolerance: 0.25, minRows: 5 } } as const
    const { view, events, adopted, named } = await play(t, { sites: 7, liars: [0, 6].map(siteId), against: [1, 2].map(siteId), change })
    const [first, ...more] = refusals(events)
    assert.deepEqual(more, [])
    assert.equal(first?.kind === 'RoundRefused' && first.attempt, 1, 'at the publication after the one that divided them')
    assert.equal(first?.kind === 'RoundRefused' && first.modelRoot, named?.stays.root)
    assert.equal(view.model.root, named?.stays.root)
    assert.ok(!adopted.includes(named?.forged.root ?? ''))
  })
})
