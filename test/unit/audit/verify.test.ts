import assert from 'node:assert/strict'
import { cp, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { systemRandom } from '#adapters/host/system-host.ts'
import { readerKeyOf } from '#audit/reader-key.ts'
import type { AuditReport } from '#audit/report.ts'
import { isRotaError } from '#base/errors.ts'
import { type Digest, siteId } from '#base/ids.ts'
import type { FedAvgSpec, NeuralSpec } from '#core/protocol/protocol.ts'
import { audit, buildWorld, flip, type Lies, leafFile, rewrite, rootFile, setOf, type World } from './audit-world.ts'

/*
 * given a run of three rounds (the last sums have 16 leaves)
 * ├── when nothing is changed ............ it recomputes every round
 * ├── when updates are thinned ........... it recomputes from the stored sum
 * ├── when the sum is gone too ........... it says "attested, not recomputed", and goes on from the stored model
 * ├── when a byte of a stored object is changed, it names object, block and leaf
 * ├── when the log tells a set, an attestation or a base that does not follow, it says so
 * └── when the key is no reader's ........ it refuses
 * given a liar who publishes a wrong sum, or a majority that attests a wrong model: it says which leaf, which root
 */

const FEDAVG: FedAvgSpec = { kind: 'logistic', algorithm: 'fedavg', rounds: 1, localSteps: 2, learningRate: 0.5, l2: 0, standardise: 'pooled' }
const NEURAL: NeuralSpec = {
  kind: 'neural',
  algorithm: 'fedavg',
  layers: [{ className: 'Dense', config: { units: 1, activation: 'sigmoid', useBias: true } }],
  loss: 'binaryCrossentropy',
  rounds: 1,
  localEpochs: 1,
  batchSize: 16,
  learningRate: 0.1,
  standardise: 'pooled',
  normBound: 4,
  fractionBits: 16,
  seed: 'audit',
}

let root: string
let world: World
const fresh = (name: string) => join(root, name)
const verdicts = (report: AuditReport) => report.rounds.map((round) => round.verdict)
const last = <T>(list: readonly T[]): T => list.at(-1) as T

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'rota-audit-'))
  world = await buildWorld(fresh('honest'), { learner: FEDAVG, rounds: 3 })
})
after(() => rm(root, { recursive: true, force: true }))

/** Moves blocks away while `use` runs. */
async function without(paths: readonly string[], use: () => Promise<void>): Promise<void> {
  for (const path of paths) await rename(path, `${path}.away`)
  try {
    await use()
  } finally {
    for (const path of paths) await rename(`${path}.away`, path)
  }
}

const updateFiles = (round: number): Promise<string[]> =>
  Promise.all([...(world.made[round]?.updates.values() ?? [])].map(async (cid) => (await leafFile(world, cid)).path))

describe('an audit of a sound run', () => {
  it('recomputes every round', async () => {
    const report = await audit(world)
    assert.deepEqual(verdicts(report), ['recomputed', 'recomputed', 'recomputed'])
    assert.equal(report.ok, true)
    assert.deepEqual(report.faults, [])
    assert.deepEqual(report.notes, [])
    assert.deepEqual(
      report.rounds.map((r) => [r.run, r.round, r.leader, r.publisher, r.status]),
      [
        [1, 1, 0, 0, 'continue'],
        [1, 2, 1, 1, 'continue'],
        [1, 3, 2, 2, 'finished'],
      ],
    )
    assert.deepEqual(report.rounds[0]?.included, [0, 1, 2, 3])
  })

  it('recomputes 32-bit rings, with coordinates in four limbs and in one word', async () => {
    const neural = await buildWorld(fresh('neural'), { learner: NEURAL, rounds: 3 })
    const report = await audit(neural)
    assert.deepEqual(report.faults, [])
    assert.deepEqual(verdicts(report), ['recomputed', 'recomputed', 'recomputed'])
  })

  it('recomputes from the stored sum once an update is thinned', async () => {
    await without((await updateFiles(1)).slice(0, 1), async () => {
      const report = await audit(world)
      assert.deepEqual(verdicts(report), ['recomputed', 'recomputed from the stored sum', 'recomputed'])
      assert.equal(report.ok, true)
    })
  })

  it('says "attested, not recomputed" when the sum is gone too, and goes on from the stored model', async () => {
    const gone = [...(await updateFiles(1)), (await leafFile(world, (world.made[1] as (typeof world.made)[number]).sum.cid)).path]
    await without(gone, async () => {
      const report = await audit(world)
      assert.deepEqual(verdicts(report), ['recomputed', 'attested, not recomputed', 'recomputed'])
      assert.equal(report.ok, true)
    })
  })

  it('recomputes a refused round: the base is kept with one refusal more', async () => {
    // Coordinate 0 is the number of rows: its highest byte makes it a number that no site may send.
    const once = (bytes: Uint8Array, site: number, round: number) => (round === 2 && site === 1 ? changed(bytes, 32 + 7) : bytes)
    const report = await audit(await buildWorld(fresh('refused'), { learner: FEDAVG, rounds: 4, lies: { update: once } }))
    assert.deepEqual(
      report.rounds.map((round) => round.status),
      ['continue', 'refused', 'continue', 'finished'],
    )
    assert.deepEqual(verdicts(report), Array(4).fill('recomputed'))
  })

  it('looks in every store that it is given', async () => {
    await cp(world.dir, fresh('copy'), { recursive: true })
    const elsewhere = await updateFiles(0)
    await without(elsewhere, async () => {
      assert.equal((await audit(world)).rounds[0]?.verdict, 'recomputed from the stored sum')
      assert.equal((await audit(world, { dirs: [world.dir, fresh('copy')] })).rounds[0]?.verdict, 'recomputed')
    })
  })

  it('checks what the chain alone can show when there is no store', async () => {
    const report = await audit(world, { dirs: [] })
    assert.deepEqual(verdicts(report), Array(3).fill('attested, not recomputed'))
    assert.equal(report.notes.length > 0, true)
  })
})

describe('an audit of damaged stores', () => {
  /** @param at byte of the sealed block: plaintext byte `at` while in front of the tag */
  async function damaged(cid: Digest, at: number): Promise<{ report: AuditReport; block: string }> {
    const { path, digest } = await leafFile(world, cid)
    const mend = await flip(path, at)
    try {
      return { report: await audit(world), block: digest }
    } finally {
      await mend()
    }
  }

  it('names block and leaf of a changed byte in a stored sum', async () => {
    const { sum } = last(world.made)
    const { report, block } = await damaged(sum.cid, 11 * 1024 + 5)
    assert.equal(report.ok, false)
    assert.deepEqual(verdicts(report).slice(0, 2), ['recomputed', 'recomputed'])
    assert.match(last(report.rounds).verdict, /^does not hold: sum of site 2 .* no longer hashes to its CID; .*leaf 11 differs from the recomputed sum/)
    const [fault] = report.faults
    assert.deepEqual([fault?.about, fault?.object?.cid, fault?.block, fault?.source, fault?.leaf], ['sum', sum.cid, block, world.dir, 11])
    assert.equal(report.faults.length, 1)
  })

  it('says when only the seal of a sum was changed', async () => {
    const { sum } = last(world.made)
    const { report } = await damaged(sum.cid, sum.bytes.length + 3)
    assert.equal(report.faults[0]?.leaf, null)
    assert.match(report.faults[0]?.message ?? '', /only the seal/)
  })

  it('names the leaf of a changed update by the sum less the others', async () => {
    const { updates } = last(world.made)
    const { report } = await damaged(updates.get(siteId(3)) as Digest, 14 * 1024)
    const [fault] = report.faults
    assert.deepEqual([fault?.about, fault?.object?.site, fault?.leaf], ['update', 3, 14])
  })

  it('names the leaf of a changed model', async () => {
    const { report } = await damaged((world.made[0] as (typeof world.made)[number]).model.cid, 30)
    assert.deepEqual([report.faults[0]?.about, report.faults[0]?.round, report.faults[0]?.leaf], ['model', 1, 0])
    assert.deepEqual(verdicts(report).slice(1), ['recomputed', 'recomputed'])
  })

  it('reports a root block that no longer hashes to its CID', async () => {
    const { sum } = last(world.made)
    const mend = await flip(await rootFile(world, sum.cid), 0)
    const report = await audit(world).finally(mend)
    assert.deepEqual([report.faults[0]?.block, report.faults[0]?.leaf], [sum.cid, null])
    assert.match(last(report.rounds).verdict, /does not hold: sum/)
  })

  it('reports a damaged copy even when another store has a sound one, and recomputes from that', async () => {
    await cp(world.dir, fresh('sound'), { recursive: true })
    const { path } = await leafFile(world, last(world.made).sum.cid)
    const mend = await flip(path, 100)
    const report = await audit(world, { dirs: [world.dir, fresh('sound')] }).finally(mend)
    assert.match(report.faults[0]?.message ?? '', /another store has it sound/)
    assert.equal(report.ok, false)
  })

  it('reports an epoch bundle and a protocol that were changed', async () => {
    for (const kind of ['bundle', 'protocol'] as const) {
      const event = world.events.find((e) => e.kind === (kind === 'bundle' ? 'EpochPublished' : 'StudyPublished'))
      const cid = event?.kind === 'EpochPublished' ? event.bundle : event?.kind === 'StudyPublished' ? event.protocolCid : ('' as never)
      const mend = await flip((await leafFile(world, cid)).path, 50)
      const report = await audit(world).finally(mend)
      assert.equal(report.ok, false)
      assert.equal(report.faults[0]?.object?.kind, kind)
    }
  })
})

describe('an audit of a log that does not follow', () => {
  it('finds a site in the set that the custodians do not carry', async () => {
    const events = rewrite(world, 'Witnessed', (event) => (event.site === siteId(0) ? event : { ...event, held: setOf(0, 1, 3) }))
    const report = await audit(world, { events })
    assert.match(report.rounds[0]?.verdict ?? '', /does not hold: site 2 is in the set/)
  })

  it('finds a site left out that the custodians carry', async () => {
    const report = await audit(world, { events: rewrite(world, 'Frozen', (event) => ({ ...event, included: setOf(0, 1, 2) })) })
    assert.match(report.rounds[0]?.verdict ?? '', /site 3 was left out/)
  })

  it('leaves a site out whose steward withdrew before the freeze', async () => {
    const events = [...world.events]
    const frozen = events.findIndex((event) => event.kind === 'Frozen')
    const at = events[frozen] as (typeof events)[number]
    events.splice(frozen, 0, { ...at, kind: 'StudyWithdrawn', study: 1 as never, site: siteId(1) })
    assert.match((await audit(world, { events })).rounds[0]?.verdict ?? '', /site 1 is in the set/)
  })

  it('does not count a witness that is no custodian', async () => {
    const report = await audit(world, {
      events: rewrite(world, 'Witnessed', (event) => (event.round === 1 && event.site === siteId(2) ? { ...event, site: siteId(3) } : event)),
    })
    assert.match(report.rounds[0]?.verdict ?? '', /site 3 witnessed without being a custodian/)
  })

  it('finds a round closed without a majority', async () => {
    const events = world.events.filter((event) => !(event.kind === 'Attested' && event.site === siteId(0)))
    assert.match((await audit(world, { events })).rounds[0]?.verdict ?? '', /2 sites attested its result, 3 are needed/)
  })

  it('does not count an attestation that echoes another', async () => {
    const first = world.events.find((event) => event.kind === 'Attested')
    const own = first?.kind === 'Attested' ? first.own : ('' as never)
    const report = await audit(world, { events: rewrite(world, 'Attested', (event) => (event.round === 1 ? { ...event, own } : event)) })
    assert.match(report.rounds[0]?.verdict ?? '', /only 1 of the 3 sites needed proved that they held the model; not site 1, 2/)
  })

  it('finds a round that opened on another model, and a run that began with one', async () => {
    const strange = world.made[0]?.sum.cid as Digest
    const broken = await audit(world, { events: rewrite(world, 'RoundOpened', (event) => (event.round === 2 ? { ...event, baseRoot: strange } : event)) })
    assert.match(broken.rounds[1]?.verdict ?? '', /it opened on model/)
    const begun = await audit(world, { events: rewrite(world, 'RunOpened', (event) => ({ ...event, modelRoot: strange })) })
    assert.match(begun.rounds[0]?.verdict ?? '', /the run began with model/)
  })

  it('refuses a key that no study lists', async () => {
    await assert.rejects(audit(world, { reader: readerKeyOf(systemRandom.bytes(32)) }), (error) => isRotaError(error, 'ROTA-6401'))
  })

  it('finds an epoch key that is not the one committed to', async () => {
    const strange = world.made[0]?.sum.cid as Digest
    const report = await audit(world, { events: rewrite(world, 'EpochPublished', (event) => ({ ...event, commitment: strange })) })
    assert.match(report.rounds[0]?.verdict ?? '', /does not match its commitment/)
  })
})

describe('an audit of liars', () => {
  const lying = (name: string, lies: Lies) => buildWorld(fresh(name), { learner: FEDAVG, rounds: 3, lies })

  it('names the leaf of a wrong sum that was published and attested', async () => {
    const wrong = await lying('wrong-sum', { publishedSum: (sum, round) => (round === 3 ? changed(sum, 9 * 1024 + 8) : sum) })
    const report = await audit(wrong)
    assert.deepEqual(verdicts(report).slice(0, 2), ['recomputed', 'recomputed'])
    assert.match(last(report.rounds).verdict, /does not hold: the updates add up to 0x.*: leaf 9 of the published sum differs/)
    assert.deepEqual([report.faults[0]?.about, report.faults[0]?.leaf], ['sum', 9])
  })

  it('finds a model that does not follow from base and sum, and judges the next round by what was attested', async () => {
    const wrong = await lying('wrong-model', { attestedModel: (model, round) => (round === 1 ? { ...model, refusals: model.refusals + 5 } : model) })
    const report = await audit(wrong)
    assert.match(report.rounds[0]?.verdict ?? '', /does not hold: base and sum lead to model 0x/)
    assert.deepEqual(verdicts(report).slice(1), ['recomputed', 'recomputed'])
  })

  it('finds a sum beyond the bounds that was accepted', async () => {
    const wrong = await lying('beyond', {
      acceptAnySum: true,
      update: (bytes, site, round) => (round === 3 && site === siteId(1) ? changed(bytes, 32 + 8 * 5 + 5) : bytes),
    })
    assert.match(last((await audit(wrong)).rounds).verdict, /\(refused\), the sites attested 0x.* \(finished\)/)
  })
})

function changed(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[at] = ((copy[at] as number) + 1) & 0xff
  return copy
}
