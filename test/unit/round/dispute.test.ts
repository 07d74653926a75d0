import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { NO_FAULTS } from '#adapters/sim/faults.ts'
import { digestOf, sha256 } from '#adapters/sim/hash.ts'
import { replacing } from '#adapters/sim/liar.ts'
import type { SimPorts } from '#adapters/sim/site.ts'
import { SimWorld } from '#adapters/sim/world.ts'
import { bitmapOf } from '#base/bitmap.ts'
import { type ErrorCode, isRotaError } from '#base/errors.ts'
import { attemptNo, roundNo, runId, siteId } from '#base/ids.ts'
import type { DisputeEvidence } from '#core/commit/dispute.ts'
import { outlineOf } from '#core/commit/outline.ts'
import { addVectors } from '#core/ring/add.ts'
import type { StudyRules } from '#ports/chain.ts'
import { disputeSum } from '#round/steps/dispute.ts'

/*
  a node that finds a wrong sum of masked vectors
  ├── disputes it alone, with what it fetches: the publication is thrown out
  ├── does so in parts of 64 sites where more are in the frozen set
  ├── does so of vectors in slices
  ├── disputes no sum that is right
  ├── disputes nothing of an open study
  ├── is refused by name with a wrong path, contributions of an absent site, or a round past its window
  └── hears that others were faster as nothing to be done
*/
const signal = new AbortController().signal
const [run, round] = [runId(1), roundNo(1)]
const key = new Uint8Array(32).fill(7)
const rulesOf = (mode: 'open' | 'masked', sites: number): StudyRules => ({
  minSites: 5,
  quorum: 4,
  maxRounds: 9,
  wordBits: 64,
  slices: 1,
  mode,
  exact: false,
  limits: Array.from({ length: 5 }, () => ({ seconds: sites + 30, blocks: sites + 30 })),
  arithmeticVersion: digestOf('golden'),
})

function update(site: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at += 32)
    bytes.set(
      createHash('sha256')
        .update(`${site}/${at}`)
        .digest()
        .subarray(0, Math.min(32, length - at)),
      at,
    )
  return bytes
}

interface Scene {
  readonly mode?: 'open' | 'masked'
  readonly sites?: number
  readonly bytes?: number
  readonly cut?: number
  /** Turns the true sum into what is published. */
  readonly spoil?: (sum: Uint8Array) => Uint8Array
}

const turnBit = (sum: Uint8Array): Uint8Array => sum.with(sum.length - 5, (sum.at(-5) as number) ^ 4)

/** A round whose leader published; what a site needs to dispute it. */
async function published({ mode = 'masked', sites = 5, bytes = 5_000, cut = 1, spoil = turnBit }: Scene) {
  const world = SimWorld.create({ seed: 1, sites, faults: NO_FAULTS, chain: { latencyMs: [1, 1] } })
  const rules = rulesOf(mode, sites)
  const study = await world.publishStudy(digestOf('protocol'), digestOf('protocol cid'), rules)
  await world.node(world.site(0)).publishEpoch(study, 0, digestOf('key'), digestOf('bundle'))
  await world.node(world.site(0)).openRun(study, { root: digestOf('model'), cid: digestOf('cid') })
  const ports = world.sites.map((site) => world.start(site))
  const put = async (site: SimPorts, plaintext: Uint8Array, kind: 'update' | 'sum') =>
    site.store.put(plaintext, outlineOf(plaintext, sha256), kind, key, signal, cut)
  if (mode === 'masked') {
    for (const { id, chain } of ports) await chain.key(run, round, digestOf('deal', id), digestOf('deal cid', id), bitmapOf([]), '0x')
    for (const { chain } of ports) await chain.justify(run, round, '0x')
  }
  for (const site of ports.toReversed()) {
    const { root, cid } = await put(site, update(site.id, bytes), 'update')
    await site.chain.contribute(run, round, root, cid, digestOf('cohort'))
  }
  const [leader, standby] = ports as [SimPorts, SimPorts]
  for (const site of [leader, standby]) await site.chain.witness(run, round, 0, bitmapOf(ports.map(({ id }) => id)))
  const truth = addVectors(ports.map(({ id }) => ({ ring: true, wordBits: 64, bytes: update(id, bytes) }))).bytes
  const { root, cid } = await put(leader, spoil(truth), 'sum')
  await leader.chain.publish(run, round, attemptNo(0), root, cid)
  const site = ports.at(-1) as SimPorts
  const view = await site.chain.run(run)
  return { site: { chain: site.chain, store: site.store, sha256 }, disputed: { rules, view, key, cut }, others: ports }
}

describe('a node that finds a wrong sum of masked vectors', () => {
  it('disputes it alone, and the publication is thrown out', async () => {
    const { site, disputed } = await published({})
    assert.equal(await disputeSum(site, disputed, signal), true)
    const after = await site.chain.run(run)
    assert.deepEqual([after.round.phase, after.round.attempt, after.round.firstPlace], ['Publishing', 1, 1])
    const [event] = await site.chain.events(0, { run, kinds: ['Disputed'] })
    assert.ok(event?.kind === 'Disputed')
    assert.deepEqual([event.site, event.publisher, event.leaf], [siteId(4), siteId(0), 4])
  })

  it('disputes in parts where more than 64 sites are in the frozen set', async () => {
    const { site, disputed } = await published({ sites: 70, bytes: 2_048 })
    assert.equal(await disputeSum(site, disputed, signal), true)
    assert.equal((await site.chain.run(run)).round.phase, 'Publishing')
  })

  it('disputes vectors in slices, and sums that are too short', async () => {
    const { site, disputed } = await published({ bytes: 200_000, cut: 3, spoil: (sum) => sum.subarray(0, 150_000) })
    assert.equal(await disputeSum(site, disputed, signal), true)
  })

  it('disputes no sum that is right', async () => {
    const { site, disputed } = await published({ spoil: (sum) => sum })
    assert.equal(await disputeSum(site, disputed, signal), false)
    assert.equal((await site.chain.run(run)).round.phase, 'Attesting')
  })

  it('disputes nothing of an open study', async () => {
    const { site, disputed } = await published({ mode: 'open' })
    assert.equal(await disputeSum(site, disputed, signal), false)
    const evidence = { wordBits: 64, leaf: 0, leaves: 1, contributions: [], updates: [], sum: { leaf: new Uint8Array(1024), path: [] } } as const
    await assert.rejects(site.chain.dispute(run, round, { ...evidence, updates: [evidence.sum] }), (error) => isRotaError(error) && error.code === 'ROTA-5118')
  })

  describe('is refused, and nothing changes,', () => {
    /** What a node would send of a wrong sum, and never did. */
    async function caught() {
      const { site, disputed, others } = await published({})
      let found: DisputeEvidence | undefined
      const chain = replacing(site.chain, { dispute: async (_run, _round, evidence) => void (found = evidence) })
      await disputeSum({ ...site, chain }, disputed, signal)
      return { chain: site.chain, others, evidence: found as DisputeEvidence }
    }
    const refused = async (sent: Promise<unknown>, code: ErrorCode) => assert.rejects(sent, (error) => isRotaError(error, code))

    it('with a wrong path', async () => {
      const { chain, evidence } = await caught()
      const [first, ...rest] = evidence.updates as [DisputeEvidence['updates'][number], ...DisputeEvidence['updates'][number][]]
      const path = first.path.map(() => digestOf('another'))
      await refused(chain.dispute(run, round, { ...evidence, updates: [{ ...first, path }, ...rest] }), 'ROTA-5121')
      assert.equal((await chain.run(run)).round.phase, 'Attesting')
    })

    it('with an absent site', async () => {
      const { chain, evidence } = await caught()
      const contributions = evidence.contributions.map((each, i) => (i === 0 ? { ...each, site: siteId(77) } : each))
      await refused(chain.dispute(run, round, { ...evidence, contributions }), 'ROTA-5122')
      assert.equal((await chain.run(run)).round.phase, 'Attesting')
    })

    it('past the window', async () => {
      const { chain, others, evidence } = await caught()
      const model = { root: digestOf('next'), cid: digestOf('next cid') }
      for (const { chain: at, id } of others) if (id < 4) await at.attest(run, round, attemptNo(0), model, 'continue', digestOf('own', id))
      const two = roundNo(2)
      for (const { id, chain: at } of others) await at.key(run, two, digestOf('deal 2', id), digestOf('deal cid 2', id), bitmapOf([]), '0x')
      for (const { chain: at } of others) await at.justify(run, two, '0x')
      for (const { id, chain: at } of others) await at.contribute(run, two, digestOf('root 2', id), digestOf('cid 2', id), digestOf('cohort'))
      for (const { id, chain: at } of others) if (id === 1 || id === 2) await at.witness(run, two, 0, bitmapOf(others.map((each) => each.id)))
      await refused(chain.dispute(run, round, evidence), 'ROTA-5119')
      assert.deepEqual([(await chain.run(run)).round.round, (await chain.run(run)).round.phase], [2, 'Publishing'])
    })
  })

  it('hears that others were faster as nothing to be done', async () => {
    const { site, disputed, others } = await published({})
    const second = others[1] as SimPorts
    await disputeSum({ chain: second.chain, store: second.store, sha256 }, disputed, signal)
    await assert.rejects(disputeSum(site, disputed, signal), (error) => isRotaError(error) && error.code === 'ROTA-5102' && error.reaction === 'ignore')
  })
})
