import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SimPorts } from '#adapters/sim/site.ts'
import { rulesOf } from '#app/protocol/study-rules.ts'
import { sha256 } from '#app/sha256.ts'
import { simulateNetwork } from '#app/simulate/simulated-network.ts'
import { type SiteId, siteId } from '#base/ids.ts'
import { correlation } from '#core/evidence/inversion.ts'
import { learnerFor } from '#core/learner/learner-for.ts'
import type { Table } from '#core/model/table.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { decodeSum } from '#core/ring/decode.ts'
import { createKeyring } from '#round/keyring.ts'
import { generatedStudy } from '../support/studies.ts'
import { only } from './support/outsider.ts'

/*
  A member that reads the vectors of another hospital, in a run by the code of real nodes
  ├── open: it has that hospital's sums, to the last digit
  └── masked: it has noise, which over many runs and hospitals says nothing of their patients
*/
const BINS = 10
/** Few features make each correlation a coin toss: so many runs of four vectors each bring the interval of their mean well inside ± 0.2. */
const RUNS = 25
const [ATTACKER, VICTIM] = [siteId(1), siteId(3)]

function study(mode: Protocol['mode']) {
  const change = { mode, minSites: 5, quorum: 5, maxSites: 5 }
  return generatedStudy({ sites: 5, rows: 40, learner: { kind: 'statistics', bins: BINS }, change })
}

/** What the attacker reads under the name that the chain has for the victim's vector. */
async function readBy(mode: Protocol['mode']) {
  return (await readAll(mode, 'masked vector')).get(VICTIM) as VectorRead
}

type VectorRead = ReturnType<typeof decodeSum>

/** Those of all others. */
async function readAll(mode: Protocol['mode'], seed: string): Promise<ReadonlyMap<SiteId, VectorRead>> {
  const { protocol, sites } = study(mode)
  const ports = new Map<SiteId, SimPorts>()
  const network = await simulateNetwork({
    ...{ seed, sites, protocol, rules: await rulesOf(protocol) },
    hooks: (site) => {
      ports.set(site.id, site)
      return {}
    },
  })
  const { world } = network
  await network.finish(await network.openRun())
  const events = world.chain.ledger.eventsFrom(0)
  const site = ports.get(ATTACKER) as SimPorts
  const key = await world.within(createKeyring({ ...site, sha256 }, network.study, protocol).key(0, site.crashed), 60_000)
  const updates = only(events, 'Contributed').filter((e) => e.site !== ATTACKER)
  assert.ok(updates.length >= 4)
  const learner = learnerFor(protocol, sha256)
  const read = new Map<SiteId, VectorRead>()
  for (const { site: from, root, cid } of updates) {
    const bytes = await world.within(site.store.get({ kind: 'update', root, cid }, key, site.crashed), 60_000)
    read.set(from, decodeSum(bytes, learner.layout(learner.initial()), 1))
  }
  network.stop()
  return read
}

/** The cohort's mean of each feature over its range, which the vector is a sum of. */
function meanOf({ columns, rows, values }: Table): number[] {
  const { features } = study('open').protocol
  return columns.map((_, j) => {
    const [low, high] = (features[j] as (typeof features)[number]).range
    let sum = 0
    for (let i = 0; i < rows; i++) sum += (2 * ((values[i * columns.length + j] as number) - low)) / (high - low) - 1
    return sum / rows
  })
}

const guess = (sent: Awaited<ReturnType<typeof readBy>>, features: number): number[] =>
  Array.from({ length: features }, (_, j) => sent.at(2 + j * (3 + BINS)) / sent.at(0))

describe('a hospital’s vector, read by another member', () => {
  const { protocol, sites } = study('open')
  const truth = meanOf((sites[VICTIM] as (typeof sites)[number]).rows.train)

  it('is what its patients add up to in an open study', async () => {
    const sent = await readBy('open')
    assert.equal(sent.at(0), sites[VICTIM]?.rows.train.rows)
    for (const [j, mean] of guess(sent, protocol.features.length).entries()) assert.ok(Math.abs(mean - (truth[j] as number)) < 1e-6)
  })

  it('is noise in a masked one', async () => {
    const sent = await readBy('masked')
    assert.notEqual(sent.at(0), sites[VICTIM]?.rows.train.rows)
    // A count is at most the rows; a masked word is anywhere in the ring.
    const counts = Array.from({ length: BINS }, (_, bin) => sent.at(4 + bin))
    assert.ok(counts.some((count) => Math.abs(count) > 1e6))
  })

  it('says nothing of its patients over many runs, and all of it in open ones', async () => {
    const correlations = async (mode: Protocol['mode'], runs: number): Promise<number[]> => {
      const all: number[] = []
      for (let run = 0; run < runs; run++)
        for (const [site, sent] of await readAll(mode, `masked vector ${run}`))
          all.push(correlation(guess(sent, protocol.features.length), meanOf((sites[site] as (typeof sites)[number]).rows.train)))
      return all
    }
    assert.ok((await correlations('open', 1)).every((each) => each > 0.999))
    const masked = await correlations('masked', RUNS)
    assert.ok(masked.length >= 4 * RUNS)
    const mean = masked.reduce((sum, x) => sum + x, 0) / masked.length
    const deviation = Math.sqrt(masked.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (masked.length - 1))
    const half = (1.96 * deviation) / Math.sqrt(masked.length)
    assert.ok(mean + half < 0.2 && mean - half > -0.2, `${mean.toFixed(3)} ± ${half.toFixed(3)} of ${masked.length}`)
  })
})
