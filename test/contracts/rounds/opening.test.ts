import { expect } from 'chai'
import { event, names, refused } from '../support/expect.ts'
import { bits, digest, NO_SITE, pass, type RunDriver, read, STATE, STATUS, World, ZERO } from '../support/world.ts'

describe('RoundCoordinator, opening', () => {
  let w: World

  beforeEach(async () => {
    w = await World.deploy(5)
  })

  const open = (study: number, site = 1, root = digest('r'), cid = digest('c')) => w.send(w.hospital(site).node, w.rounds, 'openRun', study, root, cid)
  const withdraw = (study: number, site: number) => w.send(w.hospital(site).steward, w.studies, 'withdrawSite', study)
  const suspend = async (site: number) => {
    await w.send(w.hospital(0).node, w.sites, 'propose', 1, site)
    const id = await read(w.sites, 'proposalCount')
    for (const voter of [0, 1, 2, 3, 4].filter((v) => v !== site).slice(0, 3)) await w.send(w.hospital(voter).node, w.sites, 'vote', id, true)
  }

  describe('when a run opens', () => {
    it('opens its first round with the lowest id leading and all awaited', async () => {
      const study = await w.study()
      const outcome = await open(study)
      expect(names(outcome)).to.deep.equal(['RunOpened', 'RoundOpened'])
      const opened = event(outcome, 'RoundOpened')
      expect([opened.leader, opened.turn, opened.rota, opened.awaited, opened.baseRoot, opened.epoch]).to.deep.equal([
        0n,
        0n,
        bits(0, 1, 2, 3, 4),
        bits(0, 1, 2, 3, 4),
        digest('r'),
        0n,
      ])
    })

    it('shows the run as stored', async () => {
      const run = await w.run({ slices: 2 })
      const v = await run.view()
      expect([v.run, v.study, v.state, v.modelRoot, v.modelCid, v.closedRounds, v.voidsInARow, v.ready]).to.deep.equal([
        1n,
        1n,
        0n,
        digest('model 0'),
        digest('model cid 0'),
        0n,
        0n,
        0n,
      ])
      const r = v.round
      expect([r.round, r.phase, r.attempt, r.turn, r.leader, r.openedAtBlock]).to.deep.equal([1n, 1n, 0n, 0n, 0n, r.sinceBlock])
      expect([r.contributed, r.abstained, r.included, r.attested, r.accumulator, r.publisher, r.sumRoot]).to.deep.equal([
        0n,
        0n,
        0n,
        0n,
        ZERO,
        BigInt(NO_SITE),
        ZERO,
      ])
      expect([[...r.custodianPlaces], [...r.witnessed], r.firstPlace, r.publications]).to.deep.equal([[3n, 3n], [0n, 0n], 0n, 0n])
    })

    it('refuses unknown studies, strangers, non-members and zero digests', async () => {
      await refused(open(1), w.studies, 'StudyRegistry_UnknownStudy', [1])
      const study = await w.study({ minSites: 2, quorum: 1 })
      await refused(w.send(w.hospital(1).steward, w.rounds, 'openRun', study, digest('r'), digest('c')), w.sites, 'SiteRegistry_NotNode')
      await withdraw(study, 1)
      await refused(open(study), w.rounds, 'RoundCoordinator_NotMember', [study, 1])
      await refused(open(study, 2, ZERO), w.rounds, 'RoundCoordinator_ZeroDigest')
      await refused(open(study, 2, digest('r'), ZERO), w.rounds, 'RoundCoordinator_ZeroDigest')
    })

    it('refuses fewer sites than the study needs, of which it counts those with a key', async () => {
      const study = await w.study({ minSites: 5, quorum: 1 })
      await withdraw(study, 4)
      await refused(open(study), w.rounds, 'RoundCoordinator_TooFewSites', [study, 4, 5])
      await w.send(w.hospital(4).steward, w.studies, 'approve', study, digest('protocol'))
      await open(study)
    })

    it('lists runs over all studies', async () => {
      for (let i = 0; i < 3; i++) await open(await w.study())
      const list = async (first: number, count: number) =>
        ((await read(w.rounds, 'runs', first, count)) as { run: bigint; study: bigint }[]).map((r) => [r.run, r.study])
      expect(await list(0, 9)).to.deep.equal([
        [1n, 1n],
        [2n, 2n],
        [3n, 3n],
      ])
      expect(await list(2, 1)).to.deep.equal([[2n, 2n]])
      expect(await list(4, 5)).to.deep.equal([])
      expect([await read(w.rounds, 'runCount'), await read(w.rounds, 'studyOf', 3)]).to.deep.equal([3n, 3n])
    })

    it('knows no other runs', async () => {
      await refused(read(w.rounds, 'run', 1), w.rounds, 'RoundCoordinator_UnknownRun', [1])
      await refused(read(w.rounds, 'studyOf', 0), w.rounds, 'RoundCoordinator_UnknownRun', [0])
      await refused(w.send(w.hospital(0).node, w.rounds, 'tick', 1), w.rounds, 'RoundCoordinator_UnknownRun', [1])
      await refused(
        w.send(w.hospital(0).node, w.rounds, 'contribute', 7, 1, digest('r'), digest('c'), digest('h'), digest('o')),
        w.rounds,
        'RoundCoordinator_UnknownRun',
        [7],
      )
    })
  })

  describe('when rounds follow', () => {
    let run: RunDriver

    it('gives the turn to the next id, round the rota', async () => {
      run = await w.run()
      for (const [i, leader] of [0, 1, 2, 3, 4, 0].entries()) await run.round(i + 1, leader)
      const r = (await run.view()).round
      expect([r.round, r.leader, r.turn]).to.deep.equal([7n, 1n, 1n])
    })

    it('does not await who missed the last round, until it contributes or is ready', async () => {
      run = await w.run({ quorum: 2 })
      const finish = async (round: number, leader: number, held: bigint) => {
        for (const site of [leader, leader + 1]) await run.witness(site, round, held)
        await run.publish(leader, round)
        for (const site of [0, 1, 2].slice(0, round + 1)) await run.attest(site, round)
      }
      for (const site of [0, 1, 2]) await run.contribute(site, 1)
      await pass()
      await run.tick()
      await finish(1, 0, bits(0, 1, 2))
      expect((await run.view()).round.awaited).to.equal(bits(0, 1, 2))
      await run.contribute(3, 2)
      await run.send(4, 'ready')
      for (const site of [0, 1, 2]) await run.contribute(site, 2)
      await finish(2, 1, bits(0, 1, 2, 3))
      const v = await run.view()
      expect([v.round.awaited, v.ready]).to.deep.equal([bits(0, 1, 2, 3, 4), 0n])
    })

    it('takes a withdrawn site out of the next rota, and a new one in once it has the key', async () => {
      run = await w.run({ minSites: 3, quorum: 3 })
      await withdraw(run.study, 4)
      for (const site of [0, 1, 2, 3]) await run.contribute(site, 1)
      for (const site of [0, 1]) await run.witness(site, 1, bits(0, 1, 2, 3))
      await run.publish(0, 1)
      for (const site of [0, 1, 2]) await run.attest(site, 1)
      expect((await run.view()).round.rota).to.equal(bits(0, 1, 2, 3))
      await w.send(w.hospital(4).steward, w.studies, 'approve', run.study, digest('protocol'))
      expect(await read(w.studies, 'rotaNow', run.study)).to.deep.equal([bits(0, 1, 2, 3, 4), 0n])
      for (const site of [0, 1, 2, 3]) await run.contribute(site, 2)
      for (const site of [1, 2]) await run.witness(site, 2, bits(0, 1, 2, 3))
      await run.publish(1, 2)
      for (const site of [0, 1, 2]) await run.attest(site, 2)
      const r = (await run.view()).round
      expect([r.rota, r.awaited]).to.deep.equal([bits(0, 1, 2, 3, 4), bits(0, 1, 2, 3, 4)])
    })

    it('lets a suspended site finish its round', async () => {
      run = await w.run({ minSites: 3, quorum: 3 })
      await suspend(4)
      for (const site of [0, 1, 2, 3, 4]) await run.contribute(site, 1)
      for (const site of [0, 1]) await run.witness(site, 1, bits(0, 1, 2, 3, 4))
      expect((await run.view()).round.included).to.equal(bits(0, 1, 2, 3, 4))
    })

    it('uses the epoch of keys current at its opening', async () => {
      run = await w.run({ minSites: 3, quorum: 3 })
      await w.send(w.hospital(2).node, w.studies, 'reportEpoch', run.study, 0)
      await w.send(w.hospital(1).node, w.studies, 'publishEpoch', run.study, 1, digest('c1'), digest('b1'))
      expect((await run.view()).round.epoch).to.equal(0n)
      await run.round(1, 0)
      expect((await run.view()).round.epoch).to.equal(1n)
    })

    it('pauses when too few sites are left, and goes on when there are enough again', async () => {
      run = await w.run({ minSites: 5, quorum: 3 })
      await run.freeze(1, [0, 1, 2, 3, 4], [0, 1])
      await run.publish(0, 1)
      await withdraw(run.study, 4)
      for (const site of [0, 1]) await run.attest(site, 1)
      const outcome = await run.attest(2, 1)
      expect(names(outcome)).to.deep.equal(['Attested', 'RoundClosed', 'RunStateChanged', 'LineageExtended'])
      expect(event(outcome, 'RunStateChanged').reason).to.equal(1n)
      for (const site of [0, 1, 2]) await run.send(site, 'ready')
      expect((await run.view()).state).to.equal(BigInt(STATE.Paused))
      expect(names(await run.tick())).to.deep.equal([])
      await w.send(w.hospital(4).steward, w.studies, 'approve', run.study, digest('protocol'))
      expect(names(await run.tick())).to.deep.equal(['RunStateChanged', 'RoundOpened'])
      expect((await run.view()).closedRounds).to.equal(1n)
    })
  })

  describe('when a run ends', () => {
    it('finishes when the status says so', async () => {
      const run = await w.run()
      await run.freeze(1, [0, 1, 2, 3, 4], [0, 1])
      await run.publish(0, 1)
      for (const site of [0, 1]) await run.attest(site, 1, STATUS.finished)
      const outcome = await run.attest(2, 1, STATUS.finished)
      expect(names(outcome)).to.deep.equal(['Attested', 'RoundClosed', 'RunStateChanged', 'LineageExtended'])
      expect([event(outcome, 'RunStateChanged').state, event(outcome, 'RunStateChanged').reason]).to.deep.equal([BigInt(STATE.Finished), 0n])
      await refused(run.contribute(0, 2), w.rounds, 'RoundCoordinator_RunNotActive', [1, STATE.Finished])
      for (const call of ['ready', 'halt'])
        await refused(run.send(0, call, ...(call === 'halt' ? [1] : [])), w.rounds, 'RoundCoordinator_RunNotActive', [1, STATE.Finished])
      await pass()
      expect(names(await run.tick())).to.deep.equal([])
    })

    it('finishes after maxRounds closed rounds', async () => {
      const run = await w.run({ maxRounds: 2 })
      await run.round(1, 0)
      await run.round(2, 1)
      const v = await run.view()
      expect([v.state, v.closedRounds, v.round.round]).to.deep.equal([BigInt(STATE.Finished), 2n, 2n])
    })

    it('halts an exact run by any member, and no other run', async () => {
      const run = await w.run()
      await withdraw(run.study, 3)
      await refused(run.send(3, 'halt', 5), w.rounds, 'RoundCoordinator_NotMember', [run.study, 3])
      const outcome = await run.send(2, 'halt', 5)
      expect(event(outcome, 'RunStateChanged')).to.deep.equal({ run: 1n, state: BigInt(STATE.Halted), site: 2n, reason: 5n })
      await refused(run.send(2, 'halt', 5), w.rounds, 'RoundCoordinator_RunNotActive', [1, STATE.Halted])
      const neural = await w.run({ exact: false })
      await refused(neural.send(0, 'halt', 5), w.rounds, 'RoundCoordinator_NotExact', [neural.run])
    })

    it('halts a paused run too', async () => {
      const run = await w.run()
      for (let i = 0; i < 3; i++) {
        await pass()
        await run.tick()
      }
      expect((await run.view()).state).to.equal(BigInt(STATE.Paused))
      await run.send(0, 'halt', 5)
      expect((await run.view()).state).to.equal(BigInt(STATE.Halted))
    })
  })
})
