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
  └── masked: it has noise
*/
const BINS = 10
const [ATTACKER, VICTIM] = [siteId(1), siteId(3)]

function study(mode: Protocol['mode']) {
  const change = { mode, minSites: 5, quorum: 5, maxSites: 5 }
  return generatedStudy({ sites: 5, rows: 40, learner: { kind: 'statistics', bins: BINS }, change })
}

/** What the attacker reads under the name that the chain has for the victim's vector. */
async function readBy(mode: Protocol['mode']) {
  const { protocol, sites } = study(mode)
  const ports = new Map<SiteId, SimPorts>()
  const network = await simulateNetwork({
    ...{ seed: 'masked vector', sites, protocol, rules: await rulesOf(protocol) },
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
  const update = only(events, 'Contributed').find((e) => e.site === VICTIM)
  if (update === undefined) throw new TypeError('no vector on chain')
  const bytes = await world.within(site.store.get({ kind: 'update', root: update.root, cid: update.cid }, key, site.crashed), 60_000)
  network.stop()
  const learner = learnerFor(protocol, sha256)
  return decodeSum(bytes, learner.layout(learner.initial()), 1)
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
    assert.ok(Math.abs(correlation(guess(sent, protocol.features.length), truth)) < 0.9)
  })
})
