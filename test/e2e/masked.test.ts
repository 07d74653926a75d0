import assert from 'node:assert/strict'
import process from 'node:process'
import { after, before, describe, it } from 'node:test'
import { connectChain, type EthersReader } from '#adapters/chain/ethers-chain.ts'
import { systemRandom } from '#adapters/host/system-host.ts'
import { roundStories } from '#app/node/round-story.ts'
import { sha256 } from '#app/sha256.ts'
import { openFolder } from '#audit/folder-source.ts'
import { readerKeyOf } from '#audit/reader-key.ts'
import { verifyLog } from '#audit/verify.ts'
import { address, type RunId } from '#base/ids.ts'
import { learnerFor } from '#core/learner/learner-for.ts'
import { type Hospitals, makeHospitals, PACED } from '../support/hospitals.ts'
import { undisturbed } from '../support/replay.ts'
import { exactStudy } from '../support/studies.ts'

// given five hospitals in five processes, with real keys, stores, gossip and chain, and a masked study
// └── when one is killed after it has keyed and before it has contributed
//     ├── the others take its masks off the sum, and the run goes on to its end
//     ├── started again, and killed once more at a row that is drawn, it is in the rounds that follow (all rows: chaos-masked.test.ts)
//     ├── each round's model is the one that the plain updates of its frozen set give
//     └── an auditor takes the masks off again

const SITES = 5
const GONE = 4
/** Before it has keyed, after, when the sum stands, and while keys of the next round are exchanged: by ROTA_CHAOS_SEED. */
const DRAWN = ['prepare', 'release', 'key', 'attest'] as const
const row = DRAWN[Number(process.env.ROTA_CHAOS_SEED ?? 1) % DRAWN.length] as string
const auditor = readerKeyOf(systemRandom.bytes(32))
const study = exactStudy({ sites: SITES, limit: 12, later: 20 })
const protocol = {
  ...study.protocol,
  mode: 'masked' as const,
  minSites: SITES,
  quorum: 4,
  maxSites: SITES,
  limits: { ...study.protocol.limits, keying: { seconds: 20, blocks: 20 } },
  readers: [{ name: 'auditor', encryptionKey: auditor.publicKey }],
}

describe('a masked study in five processes', () => {
  let hospitals: Hospitals
  let chain: EthersReader
  let run: RunId

  before(async () => {
    hospitals = await makeHospitals(study.sites, study.cohort.label.name, PACED)
    chain = await connectChain({ url: hospitals.chain.url, contracts: address(hospitals.contracts), signer: null })
    for (let site = 0; site < SITES; site++) await hospitals.start(site, site === GONE ? ['--drill', 'contribute'] : [])
    run = await hospitals.openRun(await hospitals.publish(protocol))
  })
  after(async () => {
    await chain?.stop()
    await hospitals?.stop()
  })

  it('closes a round from which a site is gone after it has keyed', async () => {
    const gone = hospitals.nodes[GONE]
    await gone?.until((e) => e.event === 'drill' && e.run === run, 180_000)
    await gone?.end('SIGKILL')
    await hospitals.nodes[0]?.until((e) => e.event === 'round' && e.story.run === run && e.story.round === 1, 180_000)
    const [first] = roundStories(await chain.events(0, { run }), run)
    const keyed = (await chain.events(0, { run, kinds: ['Keyed'] })).filter((e) => e.kind === 'Keyed' && e.round === 1)
    assert.equal(keyed.length, SITES)
    const told = (await chain.events(0, { run })).filter((e) => 'round' in e && e.round === 1)
    assert.equal(
      first?.state,
      'closed',
      JSON.stringify(told, (_, value) => (typeof value === 'bigint' ? `0b${value.toString(2)}` : value)),
    )
    assert.deepEqual(first?.included, [0, 1, 2, 3])
  })

  it(`comes to its end with all five, one of which is killed at ${row}`, async () => {
    const again = await hospitals.start(GONE, ['--drill', row])
    await again.until((e) => e.event === 'drill' && e.run === run, 120_000)
    await again.end('SIGKILL')
    await hospitals.start(GONE)
    const over = await Promise.all(hospitals.nodes.map((node) => node?.until((e) => e.event === 'run-over' && e.run === run, 120_000)))
    assert.ok(over.every((e) => e?.event === 'run-over' && e.state === 'Finished'))
    const stories = roundStories(await chain.events(0, { run }), run)
    assert.ok(stories.slice(1).some(({ included }) => included.includes(GONE as never)))
    assert.deepEqual(
      stories.filter(({ state }) => state !== 'closed').map(({ round, state }) => `${round} ${state}`),
      [],
    )
  })

  it('makes the models that the plain updates give', async () => {
    const stories = roundStories(await chain.events(0, { run }), run)
    const rows = study.sites.map((site) => site.rows)
    assert.deepEqual(
      stories.map((story) => story.modelRoot),
      await undisturbed(protocol, rows, stories),
    )
  })

  it('lets an auditor take the masks off again, of each round, from one hospital’s folder and from all', async () => {
    const audit = async (folders: readonly string[]) =>
      verifyLog({ chain, sources: await Promise.all(folders.map(openFolder)), reader: auditor, learnerFor: (of) => learnerFor(of, sha256) })
    const reports = [await audit(hospitals.folders.slice(1, 2)), await audit(hospitals.folders)] as const
    for (const { ok, faults, rounds } of reports) {
      assert.deepEqual(faults, [])
      assert.ok(ok && rounds.length > 2)
      for (const { round, verdict } of rounds) assert.equal(verdict, 'recomputed', `round ${round}`)
    }
    assert.match(reports[0].notes.at(-1) ?? '', /^run 1: what site 0, 2, 3, 4 released is not in the stores/)
    assert.deepEqual(reports[1].notes, [])
  })
})
