import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SimAccount } from '#adapters/sim/chain/account.ts'
import { addressOf, sha256 } from '#adapters/sim/hash.ts'
import { SimJournal } from '#adapters/sim/journal.ts'
import { simulateNetwork } from '#app/simulate/simulated-network.ts'
import { rulesOf } from '#app/study/studies.ts'
import { toDigest, utf8 } from '#base/bytes.ts'
import { attemptNo, type Bitmap, type Digest, roundNo, runId, siteId, studyId, ZERO_DIGEST } from '#base/ids.ts'
import type { ChainEvent, ChainEventBody } from '#ports/chain.ts'
import type { JournalEntry } from '#ports/journal.ts'
import { createRetention, type RetentionSite } from '#round/retention.ts'
import { generatedStudy } from '../../support/studies.ts'

// given a run that has ended
// ├── when a day has not passed, nothing is deleted
// ├── when a day has passed, updates are deleted, and small sums and models stay
// └── when a member named the protocol, a key's bundle or a sum as its update, these stay all the same
// given a run of thirty rounds with large sums and models
// ├── the initial model, the last three and every tenth stay; small ones all; what was thrown out or void keeps nothing
// ├── what was looked at once is not looked at again, and what a crash left of an object goes
// ├── blocks that nothing names are looked for once a day, and only they
// └── the journal is cut behind the present round

describe('retention', () => {
  it('deletes updates after a day, and keeps small sums and models', async (t) => {
    const { protocol, sites } = generatedStudy({ sites: 3, rows: 60 })
    let ports: Parameters<typeof createRetention>[0] | undefined
    const network = await simulateNetwork({
      seed: 1,
      sites,
      protocol,
      rules: await rulesOf(protocol),
      tell: (site) => {
        ports = site
      },
    })
    t.after(() => network.stop())
    await network.finish(await network.openRun())
    assert.ok(ports !== undefined)
    const site = ports
    const events = await network.events()
    const cids = (kind: 'Contributed' | 'Published' | 'RoundClosed'): Digest[] =>
      events.flatMap((e) =>
        e.kind !== kind ? [] : e.kind === 'Contributed' ? [e.cid] : e.kind === 'Published' ? [e.sumCid] : e.kind === 'RoundClosed' ? [e.modelCid] : [],
      )
    const held = async (of: readonly Digest[]) => (await Promise.all(of.map((cid) => site.store.has(cid)))).filter((is) => is).length
    const before = await held(cids('Contributed'))
    assert.ok(before > 0)
    await createRetention(site).sweep()
    assert.equal(await held(cids('Contributed')), before)
    network.world.chain.advance(24 * 3600 + 1, 1)
    await createRetention(site).sweep()
    assert.equal(await held(cids('Contributed')), 0)
    assert.equal(await held(cids('Published')), cids('Published').length)
    assert.equal(await held(cids('RoundClosed')), cids('RoundClosed').length)
  })

  it('keeps what a member only named as its update', async (t) => {
    const { protocol, sites } = generatedStudy({ sites: 4, rows: 60 })
    const bad = addressOf('node', siteId(3))
    const named: Digest[] = []
    const contribute = SimAccount.prototype.contribute
    t.mock.method(SimAccount.prototype, 'contribute', async function (this: SimAccount, ...[run, round, root, cid, cohort]: Parameters<typeof contribute>) {
      const events = await this.events(0)
      const others = events.flatMap((e) =>
        e.kind === 'StudyPublished' ? [e.protocolCid] : e.kind === 'EpochPublished' ? [e.bundle] : e.kind === 'Published' ? [e.sumCid] : [],
      )
      const other = others.find((each) => !named.includes(each))
      if (this.account !== bad || other === undefined) return contribute.call(this, run, round, root, cid, cohort)
      named.push(other)
      return contribute.call(this, run, round, root, other, cohort)
    })
    let ports: Parameters<typeof createRetention>[0] | undefined
    const network = await simulateNetwork({
      seed: 1,
      sites,
      protocol,
      rules: await rulesOf(protocol),
      tell: (site) => {
        if (site.id === siteId(0)) ports = site
      },
    })
    t.after(() => network.stop())
    await network.finish(await network.openRun())
    assert.ok(ports !== undefined && named.length >= 3)
    network.world.chain.advance(24 * 3600 + 1, 1)
    await createRetention(ports).sweep()
    for (const cid of named) assert.ok(await ports.store.has(cid))
  })
})

describe('retention of large objects', () => {
  const RUN = runId(1)
  const at = (round: number) => ({ run: RUN, round: roundNo(round) })
  const name = (what: string, round: number): Digest => toDigest(sha256(utf8(`${what} ${round}`)))
  const ROUNDS = 30
  const VOID = 13

  function logOf(): ChainEvent[] {
    const events: ChainEvent[] = []
    const write = (body: ChainEventBody): void => void events.push({ block: events.length + 1, index: 0, timestamp: events.length, tx: ZERO_DIGEST, ...body })
    const model = (round: number) => ({ modelRoot: name('root', round), modelCid: name('model', round) })
    write({ kind: 'StudyPublished', study: studyId(1), publisher: siteId(0), protocolDigest: ZERO_DIGEST, protocolCid: name('protocol', 0) })
    write({ kind: 'RunOpened', run: RUN, study: studyId(1), site: siteId(0), ...model(0) })
    for (let round = 1; round <= ROUNDS; round++) {
      const base = { baseRoot: ZERO_DIGEST, baseCid: ZERO_DIGEST, epoch: 0 }
      write({ kind: 'RoundOpened', ...at(round), leader: siteId(0), turn: 0, rota: [], awaited: 0n as Bitmap, ...base })
      write({ kind: 'Contributed', ...at(round), site: siteId(0), root: ZERO_DIGEST, cid: name('update', round), cohortRoot: ZERO_DIGEST })
      write({ kind: 'Published', ...at(round), attempt: attemptNo(0), site: siteId(0), sumRoot: ZERO_DIGEST, sumCid: name('wrong', round) })
      write({ kind: 'Published', ...at(round), attempt: attemptNo(1), site: siteId(1), sumRoot: ZERO_DIGEST, sumCid: name('sum', round) })
      if (round === VOID) write({ kind: 'RoundVoid', ...at(round), phase: 'Attesting' })
      else write({ kind: 'RoundClosed', ...at(round), attempt: attemptNo(1), status: 'continue', ...model(round) })
    }
    return events
  }

  function place(isSmall: (round: number) => boolean) {
    const events = logOf()
    const kinds = ['update', 'wrong', 'sum', 'model']
    const disk = new Map<Digest, boolean>([
      [name('protocol', 0), true],
      [name('model', 0), false],
    ])
    for (let round = 1; round <= ROUNDS; round++) for (const kind of kinds) if (round !== VOID || kind !== 'model') disk.set(name(kind, round), isSmall(round))
    const asked: ReadonlySet<Digest>[] = []
    let looked = 0
    const time = { now: 0, chain: 0 }
    const entries: JournalEntry[] = Array.from({ length: 200 }, (_, i) => ({ kind: 'abstained', ...at(i + 1), reason: 'maintenance' }))
    const site: RetentionSite = {
      chain: {
        head: async () => ({ timestamp: time.chain }),
        events: async (_: number, { kinds: of }: { kinds: string[] }) => events.filter((e) => of.includes(e.kind)),
      } as never,
      store: {
        getSealed: async (cid: Digest) => (disk.get(cid) === true ? new Uint8Array(1) : null),
        has: async (cid: Digest) => disk.has(cid),
        drop: async (cid: Digest) => {
          looked++
          disk.delete(cid)
        },
      } as never,
      host: { clock: { nowMs: () => time.now }, log: { debug() {}, info() {} } } as never,
      journal: new SimJournal(entries),
      dropOrphans: async (named) => asked.push(named),
    }
    const left = (kind: string): number[] => Array.from({ length: ROUNDS + 1 }, (_, round) => round).filter((round) => disk.has(name(kind, round)))
    return { site, time, disk, asked, entries, left, looked: () => looked }
  }

  it('keeps the initial model, the last three and every tenth', async () => {
    const { site, time, left, looked } = place(() => false)
    const retention = createRetention(site)
    await retention.sweep()
    assert.deepEqual(left('model'), [0, 10, 20, 28, 29, 30])
    assert.deepEqual(left('sum'), [10, 13, 20, 28, 29, 30], 'of the void round what nothing names is left to the search for such')
    assert.equal(left('update').length, ROUNDS)
    time.chain = 24 * 3600 + 60
    await retention.sweep()
    assert.deepEqual(
      left('update'),
      Array.from({ length: ROUNDS - 11 }, (_, i) => i + 12),
    )
    const before = looked()
    await retention.sweep()
    assert.equal(looked(), before, 'what was looked at once is not looked at again')
    await createRetention(site).sweep()
    assert.ok(looked() > before, 'but after a start it is: a crash may have left a part')
  })

  it('keeps all that is small', async () => {
    const { site, left } = place((round) => round % 2 === 0)
    await createRetention(site).sweep()
    assert.deepEqual(
      left('model'),
      Array.from({ length: ROUNDS + 1 }, (_, round) => round).filter((round) => round % 2 === 0 || round === 29),
    )
  })

  it('looks for blocks that nothing names once a day, and takes none that something names', async () => {
    const { site, time, asked, disk } = place(() => true)
    const retention = createRetention(site)
    await retention.sweep()
    await retention.sweep()
    assert.equal(asked.length, 1)
    const unnamed = [...disk.keys()].filter((cid) => !asked[0]?.has(cid))
    const wrong = Array.from({ length: ROUNDS }, (_, i) => name('wrong', i + 1))
    assert.deepEqual(new Set(unnamed), new Set([...wrong, name('sum', VOID)]))
    time.now += 24 * 3_600_000
    await retention.sweep()
    assert.equal(asked.length, 2)
  })

  it('cuts the journal behind the present round', async () => {
    const { site, entries } = place(() => true)
    await createRetention(site).sweep()
    assert.equal(entries.length, 200, 'thirty rounds are not many')
    const far = { ...site, chain: { ...site.chain, events: async () => [{ kind: 'RoundOpened', ...at(200), block: 1, index: 0 }] } as never }
    await createRetention(far).sweep()
    assert.deepEqual([entries.length, entries[0]?.round], [65, 136])
  })
})
