import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import type { SimPorts } from '#adapters/sim/site.ts'
import { openShelf } from '#app/model/model-shelf.ts'
import { rulesOf } from '#app/protocol/study-rules.ts'
import { sha256 } from '#app/sha256.ts'
import { type SimulatedNetwork, simulateNetwork } from '#app/simulate/simulated-network.ts'
import { isSignedCertificate, signCertificate } from '#app/unlearn/certificate.ts'
import { comparedRows } from '#app/unlearn/compared-rows.ts'
import { areaBelow } from '#app/unlearn/membership.ts'
import type { JudgedRows, UnlearnSite } from '#app/unlearn/unlearn-site.ts'
import { wayWithout } from '#app/unlearn/unlearn-way.ts'
import { certificateOf, protocolFrom, unlearningOf } from '#app/unlearn/unlearning.ts'
import { isRotaError } from '#base/errors.ts'
import { type Digest, type RunId, roundNo, runId, type StudyId, siteId } from '#base/ids.ts'
import { outlineOf } from '#core/commit/outline.ts'
import type { Table } from '#core/model/table.ts'
import type { NeuralSpec, Protocol } from '#core/protocol/protocol.ts'
import { createKeyring } from '#round/keyring.ts'
import { learnerOf } from '#round/start-model.ts'
import { nameModel } from '#round/study.ts'
import { encodeProtocol, protocolDigest } from '#wire/protocol.ts'
import { generatedStudy } from '../support/studies.ts'
import { plainTrainer } from '../unit/core/plain-trainer.ts'
import { addressOfKey, generatedKey } from './support/keys.ts'

// given records that were withdrawn after a run
// ├── of a network: training goes on from the last model before them, in a study that stewards approve, and an attack tells them apart no more
// ├── of an exact study: it is fitted again, and says so; with fewer than ten changed patients without this hospital
// ├── a study that goes on from a model that no run left is not played
// ├── the certificate is signed, says that the old model is what it was, and never that anything is removed
// ├── they are held beside records that neither run was made with, else beside those of both; where there are none, that is said
// └── which way is gone: never used, from the first round, from the nearest model that is kept

const HERE = siteId(1)
const LATE = 24
/** They take part from this round on. */
const JOIN = 4

const overfitting: NeuralSpec = {
  kind: 'neural',
  algorithm: 'fedavg',
  layers: [
    { className: 'Dense', config: { units: 24, activation: 'tanh', useBias: true } },
    { className: 'Dense', config: { units: 1, activation: 'sigmoid', useBias: true } },
  ],
  loss: 'binaryCrossentropy',
  rounds: 12,
  localEpochs: 30,
  batchSize: 8,
  learningRate: 0.3,
  standardise: 'pooled',
  normBound: 100,
  fractionBits: 16,
  seed: 'unlearn',
}

const networks: SimulatedNetwork[] = []
after(() => networks.forEach((network) => network.stop()))

/** A network of three hospitals, one of which is asked to unlearn. */
interface Ward {
  readonly network: SimulatedNetwork
  readonly site: UnlearnSite
  readonly ports: ReadonlyMap<number, SimPorts>
  /** The last of this hospital's training rows: those that come late, or go. */
  readonly leaving: readonly Digest[]
  withdraw(): void
  publish(protocol: Protocol): Promise<StudyId>
  run(study: StudyId): Promise<RunId>
}

type Study = ReturnType<typeof generatedStudy>

async function open(study: Study, count: number, joins: number): Promise<Ward> {
  const ports = new Map<number, SimPorts>()
  const network = await simulateNetwork({
    ...{ seed: 'unlearn', sites: study.sites, protocol: study.protocol, rules: await rulesOf(study.protocol) },
    trainer: { backend: 'plain', train: plainTrainer, stop: async () => undefined },
    hooks: (of) => {
      ports.set(of.id, of)
      return {}
    },
  })
  networks.push(network)
  const { world } = network
  const { cohort } = world.site(HERE)
  const leaving = cohort.tags.train.slice(-count)
  const declared: { run: RunId; round: ReturnType<typeof roundNo>; cohortRoot: Digest; tags: readonly Digest[] }[] = []
  const consented = cohort.consented.bind(cohort)
  const roundOf = (): number => world.chain.contracts.coordinator.runs.at(-1)?.round.round ?? 0
  Object.assign(cohort, {
    consented: (protocol: Protocol, withdrawn: ReadonlySet<Digest>) => consented(protocol, roundOf() < joins ? new Set([...withdrawn, ...leaving]) : withdrawn),
    remember: async (
      of: { readonly tags: readonly Digest[]; rootIn(run: RunId, round: number): Digest },
      _: Protocol,
      run: RunId,
      round: ReturnType<typeof roundNo>,
    ) => void declared.push({ run, round, cohortRoot: of.rootIn(run, round), tags: of.tags }),
  })
  const at = () => ports.get(HERE) as SimPorts
  const never = new AbortController().signal
  const shelf = () => openShelf({ chain: at().chain, store: at().store, vault: at().vault } as never)
  const protocols = new Map<StudyId, Protocol>([[network.study, study.protocol]])
  const rowsOf = (which: 'leaving' | 'staying'): Table => {
    const { train } = (study.sites[HERE] as Study['sites'][0]).rows
    const from = train.rows - count
    const [begin, end] = which === 'leaving' ? [from, train.rows] : [0, from]
    const width = train.columns.length
    return { columns: train.columns, rows: end - begin, values: train.values.slice(begin * width, end * width), label: train.label.slice(begin, end) }
  }
  return {
    network,
    ports,
    leaving,
    withdraw: () => leaving.forEach((tag) => cohort.withdrawHere(tag)),
    async publish(protocol) {
      const cids = await Promise.all([...ports.values()].map(({ store, crashed }) => store.putPlain(encodeProtocol(protocol), crashed)))
      const id = await world.within(world.publishStudy(protocolDigest(protocol, sha256), cids[0] as Digest, await rulesOf(protocol)), 60_000)
      protocols.set(id, protocol)
      return id
    },
    async run(id) {
      const { store, chain } = at()
      while ((await chain.study(id)).epoch.members === 0n) await world.time.sleep(200)
      const protocol = protocols.get(id) as Protocol
      const parts = { ...at(), sha256 }
      const key = await createKeyring(parts, id, protocol).key((await chain.study(id)).epoch.epoch, never)
      const { bytes } = nameModel((await learnerOf(parts, protocol, never)).initial(), { sha256 })
      const { root, cid } = await store.put(bytes, outlineOf(bytes, sha256), 'model', key, never)
      const run = await chain.openRun(id, { root, cid })
      await network.finish(run)
      return run
    },
    site: {
      id: HERE,
      name: 'harbour',
      chain: world.node(world.site(HERE)),
      protocol: async (id) => protocols.get(id) ?? null,
      model: (run, root) => shelf().model(run, root, never),
      has: (cid) => at().store.has(cid),
      initialRoot: async (protocol) => nameModel((await learnerOf({ ...at(), sha256 }, protocol, never)).initial(), { sha256 }).root,
      contributions: async () =>
        declared.map(({ tags, ...where }) => ({
          ...where,
          cohort: leaving.some((tag) => tags.includes(tag)) ? ('in' as const) : ('not in' as const),
          before: false,
        })),
      rows: async () => ({
        withdrawn: rowsOf('leaving'),
        others: (study.sites[HERE] as (typeof study.sites)[0]).rows.test,
        othersAre: 'records that neither run was made with',
        train: rowsOf('staying'),
      }),
    },
  }
}

const RECORD = { tag: null, withdrawnAtBlock: null }
const AT = '2026-11-21T12:00:00.000Z'

describe('unlearning', () => {
  it('trains on from the last model before the records, and an attack tells them apart no more', async (t) => {
    const study = generatedStudy({ sites: 3, rows: 90, seed: 7, learner: overfitting, change: { cohort: { rule: 'all rows', minRows: 1, maxRows: 120 } } })
    const ward = await open(study, LATE, JOIN)
    const run = await ward.run(ward.network.study)
    ward.withdraw()
    const first = await unlearningOf(ward.site, run)
    assert.equal(first.rounds[0], JOIN)
    assert.equal(first.standIn, null)
    assert.ok(first.way.kind === 'train on' && first.way.from.round === JOIN - 1)
    const next = await ward.publish(protocolFrom(study.protocol, run, first.way))
    assert.deepEqual((await unlearningOf(ward.site, run)).standIn, { kind: 'study', study: next })
    const again = await ward.run(next)
    const { standIn, ...unlearning } = await unlearningOf(ward.site, run)
    assert.deepEqual(standIn, { kind: 'run', study: next, run: again, state: 'Finished' })
    const certificate = await certificateOf(ward.site, RECORD, { ...unlearning, standIn }, standIn as never, AT)
    const { before, after, method, checkpoint, membership } = certificate
    t.diagnostic(
      `told apart ${membership?.before?.toFixed(3)} before, ${membership?.after?.toFixed(3)} after; ${after.closedRounds} rounds in place of ${before.closedRounds}`,
    )
    assert.equal(method, 'trained on from a model before the record')
    assert.deepEqual([checkpoint?.run, checkpoint?.round], [run, JOIN - 1])
    assert.equal(after.closedRounds, before.closedRounds - (JOIN - 1))
    assert.equal(after.declared.length, after.closedRounds)
    assert.ok((membership?.before ?? 0) > 0.7, 'the network learned them by heart')
    assert.ok((membership?.after ?? 1) < 0.62, 'and the other does not know them')
    assert.ok(Math.abs((membership?.after ?? 1) - 0.5) < 0.15)
    assert.deepEqual([membership?.others, membership?.othersAre], [study.sites[HERE]?.rows.test.rows, 'records that neither run was made with'])

    // A hospital that holds nothing out, and to which nobody came, holds them beside those who stayed: known alike before, and less afterwards.
    const rows = await ward.site.rows(study.protocol, run, again)
    const both = {
      ...ward.site,
      rows: async () => ({ ...(rows as JudgedRows), others: (rows as JudgedRows).train, othersAre: 'records that both runs were made with' as const }),
    }
    const beside = await certificateOf(both, RECORD, { ...unlearning, standIn }, standIn as never, AT)
    t.diagnostic(`beside those who stayed ${beside.membership?.before?.toFixed(3)} before, ${beside.membership?.after?.toFixed(3)} after`)
    assert.ok(Math.abs((beside.membership?.before ?? 1) - 0.5) < 0.15 && (beside.membership?.after ?? 1) < 0.35)
    assert.match(beside.says.join(' '), /has no records that neither run was made with.*0\.5 means that they are known alike, less that/)
    const none = { ...ward.site, rows: async () => ({ ...(rows as JudgedRows), others: { ...(rows as JudgedRows).others, rows: 0 } }) }
    const without = await certificateOf(none, RECORD, { ...unlearning, standIn }, standIn as never, AT)
    assert.equal(without.membership, null)
    assert.match(without.says.join(' '), /No membership figure could be made: this hospital has no other records, that neither run or that both were made with/)
  })

  it('holds the records beside those that neither run was made with, else beside those of both', () => {
    const name = (of: string) => of as Digest
    const row = (of: string, set: 'train' | 'test' = 'train', mayBeUsed = true) => ({ of, set, names: [name(of)], mayBeUsed })
    const cohorts = { before: new Set(['gone', 'stays', 'tests'].map(name)), after: new Set(['stays', 'tests', 'later'].map(name)) }
    const shown = (rows: readonly ReturnType<typeof row>[]) => {
      const { rows: found, are } = comparedRows(rows, cohorts)
      return [found.map(({ of }) => of), are]
    }
    const neither = 'records that neither run was made with'
    const all = [row('gone', 'train', false), row('stays'), row('later')]
    assert.deepEqual(shown([...all, row('tests', 'test'), row('new'), row('asked nobody', 'train', false)]), [['tests', 'new'], neither])
    assert.deepEqual(shown(all), [['stays'], 'records that both runs were made with'])
    assert.deepEqual(shown([all[0] as (typeof all)[0]]), [[], 'records that both runs were made with'])
    const again = [{ ...row('x'), names: [name('x'), name('gone')] }]
    assert.deepEqual(shown(again)[0], [], 'whoever agreed again was used under the first tag')
  })

  it('fits an exact study again: without this hospital as long as fewer than ten patients changed', async () => {
    const study = generatedStudy({ sites: 3, rows: 90, seed: 7, change: { minSites: 2, quorum: 2 } })
    for (const [count, rounds] of [
      [1, false],
      [12, true],
    ] as const) {
      const ward = await open(study, count, 0)
      const run = await ward.run(ward.network.study)
      ward.withdraw()
      const found = await unlearningOf(ward.site, run)
      assert.deepEqual([found.way, found.standIn], [{ kind: 'again' }, null])
      const again = await ward.run(ward.network.study)
      const unlearning = await unlearningOf(ward.site, run)
      assert.deepEqual(unlearning.standIn, { kind: 'run', study: ward.network.study, run: again, state: 'Finished' })
      const certificate = await certificateOf(ward.site, RECORD, unlearning, unlearning.standIn as never, AT)
      assert.equal(certificate.method, 'fitted again from the first round')
      assert.equal(certificate.after.declared.length > 0, rounds)
      assert.match(certificate.says.join(' '), rounds ? /no cohort that this hospital declared in it held the record/ : /this hospital took no part in it/)
      assert.match(certificate.says.join(' '), /learns from their difference/)
      assert.doesNotMatch(JSON.stringify(certificate), /remov|delet|eras|forg[eo]t/i)
      assert.equal(certificate.membership?.records, count)
      assert.notEqual(certificate.before.model.root, certificate.after.model.root)
      const key = generatedKey('node')
      const signed = signCertificate(certificate, key)
      assert.ok(isSignedCertificate(JSON.parse(JSON.stringify(signed))))
      assert.ok(!isSignedCertificate({ ...signed, after: signed.before as never }))
      assert.ok(!isSignedCertificate({ ...signed, account: addressOfKey('another') }))
    }
  })

  it('is not played from a model that no run left', async () => {
    const study = generatedStudy({ sites: 3, rows: 60, seed: 7, learner: { ...overfitting, rounds: 3, localEpochs: 1 } })
    const ward = await open(study, 1, 0)
    const run = await ward.run(ward.network.study)
    const view = ward.network.world.chain.run(run)
    const { site, ports } = ward
    const { models } = await import('#round/lineage.ts').then(async ({ followLineage }) =>
      followLineage(await site.chain.events(0, { run }), await site.initialRoot(study.protocol)),
    )
    const second = models[2] as (typeof models)[0]
    const right = { run, round: 2, root: second.root, cid: second.cid }
    const parts = { ...(ports.get(HERE) as SimPorts), sha256 }
    const initial = async (start: Protocol['start']) =>
      nameModel((await learnerOf(parts, { ...study.protocol, start }, new AbortController().signal)).initial(), { sha256 }).root
    assert.equal(await initial(right), second.root)
    for (const wrong of [
      { ...right, round: 3 },
      { ...right, root: view.model.root },
      { ...right, cid: view.model.cid },
    ])
      await assert.rejects(initial(wrong), (error) => isRotaError(error, 'ROTA-5514'))
    await assert.rejects(initial({ ...right, run: 9 }), (error) => isRotaError(error))
    await assert.rejects(unlearningOf({ ...site, protocol: async () => null }, run), (error) => isRotaError(error, 'ROTA-6032'))
  })

  it('goes the way that the record and what is kept allow', () => {
    const model = (round: number | null) => ({ round: round === null ? null : roundNo(round), root: `${round}` as Digest, cid: `${round}` as Digest, epoch: 0 })
    const all = [model(null), model(1), model(2), model(10), model(11)]
    assert.deepEqual(wayWithout(null, false, all), { kind: 'not needed' })
    assert.deepEqual(wayWithout(roundNo(1), false, all), { kind: 'again' })
    assert.deepEqual(wayWithout(roundNo(5), true, all), { kind: 'again' })
    assert.deepEqual(wayWithout(roundNo(5), false, all), { kind: 'train on', from: model(2) })
    assert.deepEqual(wayWithout(roundNo(11), false, all), { kind: 'train on', from: model(10) })
    assert.deepEqual(wayWithout(roundNo(5), false, [model(null), model(10)]), { kind: 'again' }, 'nothing before it is kept')
    assert.equal(runId(1), 1)
  })

  it('counts how often a member is known better than another', () => {
    assert.equal(areaBelow([1, 1], [2, 3]), 1)
    assert.equal(areaBelow([4], [2, 3]), 0)
    assert.equal(areaBelow([2], [2, 2]), 0.5)
    assert.equal(areaBelow([1, 2, 3], [2]), 0.5)
    assert.equal(areaBelow([], [2]), null)
  })
})
