import { expect } from 'chai'
import { AbiCoder, keccak256 } from 'ethers'
import { event, names, refused } from '../support/expect.ts'
import { bits, digest, ethers, helpers, LIMIT, PHASE, pass, type RunDriver, STATE, World, ZERO } from '../support/world.ts'

describe('RoundCoordinator, Contributing', () => {
  let w: World
  let run: RunDriver

  beforeEach(async () => {
    w = await World.deploy(4)
    run = await w.run({ minSites: 3, quorum: 3 })
  })

  const phaseOf = async (of: RunDriver) => Number((await of.view()).round.phase)
  const phase = () => phaseOf(run)
  /** Five sites in Contributing of a masked study, in no hurry. */
  const maskedRun = async () => {
    const hospitals = await World.deploy(5)
    const masked = await hospitals.run({ mode: 1, minSites: 5, quorum: 4, limits: Array(5).fill({ seconds_: 6_000, blocks: 6_000 }) })
    for (let site = 0; site < 5; site++) await masked.key(site, 1)
    return { hospitals, masked }
  }
  const withdraw = (site: number) => w.send(w.hospital(site).steward, w.studies, 'withdrawSite', run.study)

  describe('when a site contributes', () => {
    it('is in, its root in the accumulator in order of arrival', async () => {
      const outcome = await run.contribute(2, 1)
      expect(event(outcome, 'Contributed')).to.deep.equal({
        run: 1n,
        round: 1n,
        site: 2n,
        root: digest('root 1 2'),
        cid: digest('cid 1 2'),
        cohortRoot: digest('cohort 2'),
      })
      await run.contribute(0, 1)
      const r = (await run.view()).round
      const add = (acc: string, site: number) =>
        keccak256(AbiCoder.defaultAbiCoder().encode(['bytes32', 'uint256', 'bytes32'], [acc, site, digest(`root 1 ${site}`)]))
      expect([r.contributed, r.accumulator]).to.deep.equal([bits(0, 2), add(add(ZERO, 2), 0)])
    })

    it('ends the phase with the last awaited', async () => {
      for (const site of [0, 1, 2]) expect(names(await run.contribute(site, 1))).to.deep.equal(['Contributed'])
      const outcome = await run.contribute(3, 1)
      expect(names(outcome)).to.deep.equal(['Contributed', 'PhaseBegan'])
      expect([event(outcome, 'PhaseBegan').phase, event(outcome, 'PhaseBegan').attempt]).to.deep.equal([BigInt(PHASE.Witnessing), 0n])
    })

    it('does not wait for a site that withdrew', async () => {
      await withdraw(3)
      for (const site of [0, 1, 2]) await run.contribute(site, 1)
      expect(await phase()).to.equal(PHASE.Witnessing)
    })

    it('refuses a second one, and one after abstaining', async () => {
      await run.contribute(0, 1)
      await run.abstain(1, 1)
      await refused(run.contribute(0, 1), w.rounds, 'RoundCoordinator_AlreadyContributed', [1, 1, 0])
      await refused(run.contribute(1, 1), w.rounds, 'RoundCoordinator_AlreadyAbstained', [1, 1, 1])
    })

    it('refuses zero digests', async () => {
      for (let zero = 0; zero < 3; zero++) {
        const args = [digest('r'), digest('c'), digest('h')].map((d, i) => (i === zero ? ZERO : d))
        await refused(run.send(0, 'contribute', 1, ...args, ZERO), w.rounds, 'RoundCoordinator_ZeroDigest')
      }
    })

    it('takes what is for the opening that stands, for 256 blocks', async () => {
      const slow = await w.run({ minSites: 3, quorum: 3, limits: Array(5).fill({ seconds_: 6_000, blocks: 6_000 }) })
      const opening = await slow.opening()
      await refused(slow.contribute(0, 1, digest('another')), w.rounds, 'RoundCoordinator_OtherOpening', [slow.run, 1, (await slow.view()).round.openedAtBlock])
      expect(names(await slow.contribute(0, 1, opening))).to.deep.equal(['Contributed'])
      const passed = (await ethers.provider.getBlockNumber()) - Number((await slow.view()).round.openedAtBlock)
      await helpers.mine(255 - passed)
      await refused(slow.contribute(1, 1, digest('another')), w.rounds, 'RoundCoordinator_OtherOpening')
      await helpers.mine(1)
      expect(names(await slow.contribute(1, 1, digest('another')))).to.deep.equal(['Contributed'])
    })

    it('refuses what is mined again after its round was opened anew', async () => {
      const before = await helpers.takeSnapshot()
      const lost = await w.openRun(run.study)
      const [opening, { round }] = [await lost.opening(), await lost.view()]
      await before.restore()
      await helpers.time.increase(5)
      const again = await w.openRun(run.study)
      expect((await again.view()).round.openedAtBlock).to.equal(round.openedAtBlock + 1n)
      await refused(again.contribute(0, 1, opening), w.rounds, 'RoundCoordinator_OtherOpening', [again.run, 1, round.openedAtBlock + 1n])
      await again.contribute(0, 1, await again.opening())
    })

    it('takes what is for the block in which it began, of a masked study', async () => {
      const { masked, hospitals } = await maskedRun()
      const [opening, began, known] = [await masked.opening(), await masked.began(), (await masked.view()).round.sinceBlock]
      for (const other of [digest('another'), opening])
        await refused(masked.contribute(0, 1, other), hospitals.rounds, 'RoundCoordinator_OtherOpening', [1, 1, known])
      expect(names(await masked.contribute(0, 1, began))).to.deep.equal(['Contributed'])
      expect(names(await masked.contribute(1, 1, ZERO)), 'on any history').to.deep.equal(['Contributed'])
      await helpers.mine(255 - ((await ethers.provider.getBlockNumber()) - Number(known)))
      await refused(masked.contribute(2, 1, digest('another')), hospitals.rounds, 'RoundCoordinator_OtherOpening', [1, 1, known])
      expect(names(await masked.contribute(2, 1, began)), 'the 256th').to.deep.equal(['Contributed'])
      expect(names(await masked.contribute(3, 1, digest('another'))), 'its hash is forgotten').to.deep.equal(['Contributed'])
    })

    it('takes what is for the block in which it began anew, of a masked study', async () => {
      const { masked, hospitals } = await maskedRun()
      const before = await masked.began()
      await masked.contribute(0, 1, before)
      await masked.send(1, 'extend', 1)
      const [anew, known] = [await masked.began(), (await masked.view()).round.sinceBlock]
      expect(anew).to.not.equal(before)
      for (const other of [before, await masked.opening()])
        await refused(masked.contribute(2, 1, other), hospitals.rounds, 'RoundCoordinator_OtherOpening', [1, 1, known])
      expect(names(await masked.contribute(2, 1, anew))).to.deep.equal(['Contributed'])
      expect((await masked.view()).round.contributed, 'what came before stays').to.equal(bits(0, 2))
    })

    it('takes what is for the opening of an open study, though it began anew', async () => {
      const opening = await run.opening()
      await run.send(1, 'extend', 1)
      await refused(run.contribute(0, 1, await run.began()), w.rounds, 'RoundCoordinator_OtherOpening', [1, 1, (await run.view()).round.openedAtBlock])
      expect(names(await run.contribute(0, 1, opening))).to.deep.equal(['Contributed'])
    })

    it('refuses what is mined again after others keyed, of a masked study', async () => {
      const hospitals = await World.deploy(6)
      const masked = await hospitals.run({ mode: 1, minSites: 5, quorum: 4 })
      const opening = await masked.opening()
      for (const site of [0, 1, 2, 3]) await masked.key(site, 1)
      const before = await helpers.takeSnapshot()
      for (const site of [4, 5]) await masked.key(site, 1)
      const lost = await masked.began()
      await before.restore()
      await masked.key(4, 1)
      await masked.abstain(5, 1)
      expect([await phaseOf(masked), await masked.opening()], 'the round opened as before').to.deep.equal([PHASE.Contributing, opening])
      await refused(masked.contribute(0, 1, lost), hospitals.rounds, 'RoundCoordinator_OtherOpening', [1, 1, (await masked.view()).round.sinceBlock])
      await masked.contribute(0, 1, await masked.began())
    })

    it('refuses another round and another phase', async () => {
      for (const round of [0, 2]) await refused(run.contribute(0, round), w.rounds, 'RoundCoordinator_NotCurrentRound', [1, round, 1])
      for (const site of [0, 1, 2, 3]) await run.contribute(site, 1)
      await refused(run.contribute(0, 1), w.rounds, 'RoundCoordinator_WrongPhase', [1, 1, PHASE.Witnessing])
    })

    it('refuses strangers, withdrawn sites and those that were not in the rota', async () => {
      await refused(w.send(w.hospital(0).recovery, w.rounds, 'contribute', 1, 1, digest('r'), digest('c'), digest('h'), ZERO), w.sites, 'SiteRegistry_NotNode')
      await withdraw(3)
      await refused(run.contribute(3, 1), w.rounds, 'RoundCoordinator_NotApproved', [1, 3])
      const later = await w.openRun(run.study)
      await w.send(w.hospital(3).steward, w.studies, 'approve', run.study, digest('protocol'))
      await refused(later.contribute(3, 1), w.rounds, 'RoundCoordinator_NotInRota', [2, 1, 3])
      await run.contribute(3, 1)
    })

    it('refuses one after the limit, though nobody has ticked', async () => {
      for (const site of [0, 1, 2]) await run.contribute(site, 1)
      await pass()
      await refused(run.contribute(3, 1), w.rounds, 'RoundCoordinator_WrongPhase', [1, 1, PHASE.Witnessing])
    })
  })

  describe('when a site abstains', () => {
    it('is not waited for, now and in the next round', async () => {
      for (const site of [0, 1]) await run.contribute(site, 1)
      const outcome = await run.abstain(2, 1, 4)
      expect(event(outcome, 'Abstained')).to.deep.equal({ run: 1n, round: 1n, site: 2n, reason: 4n })
      let r = (await run.view()).round
      expect([r.abstained, r.awaited]).to.deep.equal([bits(2), bits(0, 1, 3)])
      await run.contribute(3, 1)
      expect(await phase()).to.equal(PHASE.Witnessing)
      for (const site of [0, 1]) await run.witness(site, 1, bits(0, 1, 3))
      await run.publish(0, 1)
      for (const site of [0, 1]) await run.attest(site, 1)
      r = (await run.view()).round
      expect([r.round, r.awaited, r.abstained]).to.deep.equal([2n, bits(0, 1, 3), 0n])
    })

    it('ends the phase as the last awaited, with a quorum', async () => {
      for (const site of [0, 1, 2]) await run.contribute(site, 1)
      expect(names(await run.abstain(3, 1))).to.deep.equal(['Abstained', 'PhaseBegan'])
    })

    it('leaves the phase to the limit without a quorum', async () => {
      for (const site of [0, 1]) await run.contribute(site, 1)
      for (const site of [2, 3]) expect(names(await run.abstain(site, 1))).to.deep.equal(['Abstained'])
      expect(await phase()).to.equal(PHASE.Contributing)
    })

    it('refuses what contribute refuses', async () => {
      await run.contribute(0, 1)
      await refused(run.abstain(0, 1), w.rounds, 'RoundCoordinator_AlreadyContributed', [1, 1, 0])
      await run.abstain(1, 1)
      await refused(run.abstain(1, 1), w.rounds, 'RoundCoordinator_AlreadyAbstained', [1, 1, 1])
      await refused(run.abstain(2, 3), w.rounds, 'RoundCoordinator_NotCurrentRound', [1, 3, 1])
      await withdraw(3)
      await refused(run.abstain(3, 1), w.rounds, 'RoundCoordinator_NotApproved', [1, 3])
    })
  })

  describe('when a site asks for more time', () => {
    const extend = (site: number, round = 1) => run.send(site, 'extend', round)

    it('begins the limit anew, in seconds and in blocks', async () => {
      await run.contribute(0, 1)
      await pass(2)
      const outcome = await extend(3)
      expect(names(outcome)).to.deep.equal(['ContributingExtended'])
      expect(event(outcome, 'ContributingExtended')).to.deep.equal({ run: 1n, round: 1n, site: 3n })
      const r = (await run.view()).round
      const block = await ethers.provider.getBlock(outcome.receipt.blockNumber)
      expect([r.extended, r.sinceBlock, r.sinceTimestamp]).to.deep.equal([true, BigInt(outcome.receipt.blockNumber), BigInt(block?.timestamp ?? 0)])
      expect([r.phase, r.contributed, r.awaited]).to.deep.equal([BigInt(PHASE.Contributing), bits(0), bits(0, 1, 2, 3)])
      await pass(2)
      for (const site of [1, 2]) await run.contribute(site, 1)
      expect(await phase()).to.equal(PHASE.Contributing)
      await pass(1)
      expect(names(await run.tick())).to.deep.equal(['PhaseBegan'])
    })

    it('ends the phase with the last awaited all the same, and the next round begins without it', async () => {
      await extend(3)
      for (const site of [0, 1, 2, 3]) await run.contribute(site, 1)
      expect([await phase(), (await run.view()).round.extended]).to.deep.equal([PHASE.Witnessing, true])
      for (const site of [0, 1]) await run.witness(site, 1, bits(0, 1, 2, 3))
      await run.publish(0, 1)
      for (const site of [0, 1, 2]) await run.attest(site, 1)
      expect([(await run.view()).round.round, (await run.view()).round.extended]).to.deep.equal([2n, false])
      await extend(3, 2)
    })

    it('is void below a quorum after the second limit', async () => {
      for (const site of [0, 1]) await run.contribute(site, 1)
      await extend(3)
      await pass()
      expect(names(await run.tick())).to.deep.equal(['RoundVoid', 'RoundOpened'])
    })

    it('refuses a second time, by anyone', async () => {
      await extend(3)
      for (const site of [3, 1]) await refused(extend(site), w.rounds, 'RoundCoordinator_AlreadyExtended', [1, 1])
    })

    it('refuses a site that is not awaited: who asks and does not come cannot ask again, though it is ready', async () => {
      await extend(3)
      for (const site of [0, 1, 2]) await run.contribute(site, 1)
      await run.send(3, 'ready')
      await pass()
      for (const site of [0, 1]) await run.witness(site, 1, bits(0, 1, 2))
      await run.publish(0, 1)
      for (const site of [0, 1]) await run.attest(site, 1)
      await refused(extend(3, 2), w.rounds, 'RoundCoordinator_NotAwaited', [1, 2, 3])
    })

    it('refuses who contributed or abstained', async () => {
      await run.contribute(0, 1)
      await run.abstain(1, 1)
      await refused(extend(0), w.rounds, 'RoundCoordinator_AlreadyContributed', [1, 1, 0])
      await refused(extend(1), w.rounds, 'RoundCoordinator_AlreadyAbstained', [1, 1, 1])
    })

    it('refuses another round, another phase, and the limit that has passed', async () => {
      for (const round of [0, 2]) await refused(extend(0, round), w.rounds, 'RoundCoordinator_NotCurrentRound', [1, round, 1])
      for (const site of [0, 1, 2]) await run.contribute(site, 1)
      await pass()
      await refused(extend(3), w.rounds, 'RoundCoordinator_WrongPhase', [1, 1, PHASE.Witnessing])
      await run.tick()
      await refused(extend(3), w.rounds, 'RoundCoordinator_WrongPhase', [1, 1, PHASE.Witnessing])
    })

    it('refuses strangers, withdrawn sites, those that were not in the rota, and a run at rest', async () => {
      await refused(w.send(w.hospital(0).recovery, w.rounds, 'extend', 1, 1), w.sites, 'SiteRegistry_NotNode')
      await withdraw(3)
      await refused(extend(3), w.rounds, 'RoundCoordinator_NotApproved', [1, 3])
      const later = await w.openRun(run.study)
      await w.send(w.hospital(3).steward, w.studies, 'approve', run.study, digest('protocol'))
      await refused(later.send(3, 'extend', 1), w.rounds, 'RoundCoordinator_NotInRota', [2, 1, 3])
      await run.send(0, 'halt', 5)
      await refused(extend(3), w.rounds, 'RoundCoordinator_RunNotActive', [1, STATE.Halted])
    })
  })

  describe('when the limit has passed', () => {
    it('goes on with a quorum', async () => {
      for (const site of [1, 2, 3]) await run.contribute(site, 1)
      await pass()
      expect(names(await run.tick())).to.deep.equal(['PhaseBegan'])
      expect(await phase()).to.equal(PHASE.Witnessing)
    })

    it('is void without one, and the next in turn leads the next', async () => {
      for (const site of [1, 2]) await run.contribute(site, 1)
      await pass()
      const outcome = await run.tick()
      expect(names(outcome)).to.deep.equal(['RoundVoid', 'RoundOpened'])
      expect([event(outcome, 'RoundVoid').phase, event(outcome, 'RoundOpened').leader, event(outcome, 'RoundOpened').awaited]).to.deep.equal([
        BigInt(PHASE.Contributing),
        1n,
        bits(1, 2),
      ])
      expect((await run.view()).voidsInARow).to.equal(1n)
    })

    it('needs its seconds and its blocks', async () => {
      await helpers.time.increase(LIMIT.seconds * 2)
      expect(names(await run.tick())).to.deep.equal([])
      const { timestamp } = (await w.spare[0]?.provider?.getBlock('latest')) ?? { timestamp: 0 }
      const other = await w.openRun(run.study)
      await helpers.mine(LIMIT.blocks - 1, { interval: 1 })
      expect(timestamp).to.be.greaterThan(0)
      expect(names(await other.tick())).to.deep.equal([])
      expect(names(await run.tick())).to.deep.equal(['RoundVoid', 'RoundOpened'])
    })
  })

  describe('when rounds are void', () => {
    const voidRound = async () => {
      await pass()
      return run.tick()
    }

    it('pauses at the third in a row', async () => {
      await voidRound()
      await voidRound()
      const outcome = await voidRound()
      expect(names(outcome)).to.deep.equal(['RoundVoid', 'RunStateChanged'])
      expect([event(outcome, 'RunStateChanged').state, event(outcome, 'RunStateChanged').reason]).to.deep.equal([BigInt(STATE.Paused), 0n])
      await refused(run.contribute(0, 3), w.rounds, 'RoundCoordinator_RunNotActive', [1, STATE.Paused])
      expect((await run.view()).round.round).to.equal(3n)
    })

    it('goes on when more than half of the members are ready, awaiting all', async () => {
      for (let i = 0; i < 3; i++) await voidRound()
      await run.send(0, 'ready')
      await refused(run.send(0, 'ready'), w.rounds, 'RoundCoordinator_AlreadyReady', [1, 0])
      await run.send(3, 'ready')
      expect((await run.view()).ready).to.equal(bits(0, 3))
      const outcome = await run.send(2, 'ready')
      expect(names(outcome)).to.deep.equal(['SiteReady', 'RunStateChanged', 'RoundOpened'])
      expect([event(outcome, 'RunStateChanged').site, event(outcome, 'RoundOpened').awaited]).to.deep.equal([2n, bits(0, 1, 2, 3)])
      const v = await run.view()
      expect([v.state, v.voidsInARow, v.ready]).to.deep.equal([0n, 0n, 0n])
    })

    it('forgets the row when a round closes', async () => {
      await voidRound()
      await voidRound()
      for (const site of [0, 1, 2, 3]) await run.contribute(site, 3).catch(() => undefined)
      for (const site of [2, 3]) await run.witness(site, 3, bits(0, 1, 2))
      await run.publish(2, 3)
      for (const site of [0, 1]) await run.attest(site, 3)
      const v = await run.view()
      expect([v.voidsInARow, v.closedRounds, v.round.round]).to.deep.equal([0n, 1n, 4n])
    })

    it('refuses ready from a site that is no member', async () => {
      await withdraw(3)
      await refused(run.send(3, 'ready'), w.rounds, 'RoundCoordinator_NotMember', [1, 3])
    })

    it('uses up signals of before the pause', async () => {
      await run.send(1, 'ready')
      for (let i = 0; i < 3; i++) await voidRound()
      expect((await run.view()).ready).to.equal(0n)
      await run.send(1, 'ready')
    })
  })
})
