import { expect } from 'chai'
import { event, names, refused } from '../support/expect.ts'
import { bits, digest, helpers, LIMIT, NO_SITE, PHASE, pass, type RunDriver, STATUS, World, ZERO } from '../support/world.ts'

describe('RoundCoordinator, Publishing', () => {
  let w: World
  let run: RunDriver
  const all = [0, 1, 2, 3, 4]

  beforeEach(async () => {
    w = await World.deploy(5)
    run = await w.run({ minSites: 3, quorum: 2 })
    await run.freeze(1, all, [0, 1])
  })

  const round = async () => (await run.view()).round
  /** Closes the round that is being attested. */
  const close = async (number: number, attempt = 0) => {
    for (const site of [0, 1, 2]) await run.attest(site, number, STATUS.continue, attempt)
  }
  /** A round in which everybody contributes and the leader is silent, so that the next place publishes. */
  const leaderSilent = async (number: number, leader: number) => {
    for (const site of all) await run.contribute(site, number)
    for (const site of [(leader + 1) % 5, (leader + 2) % 5]) await run.witness(site, number, bits(...all))
    await pass(1)
    await run.publish((leader + 1) % 5, number)
    await close(number)
  }

  describe('when a site publishes', () => {
    it('lets the leader at once', async () => {
      const outcome = await run.publish(0, 1)
      expect(names(outcome)).to.deep.equal(['Published', 'PhaseBegan'])
      expect(event(outcome, 'Published')).to.deep.equal({
        run: 1n,
        round: 1n,
        site: 0n,
        attempt: 0n,
        sumRoot: digest('sum 1 0'),
        sumCid: digest('sum cid 1 0'),
      })
      const r = await round()
      expect([r.phase, r.publisher, r.sumRoot, r.sumCid, r.publications, r.attested]).to.deep.equal([
        BigInt(PHASE.Attesting),
        0n,
        digest('sum 1 0'),
        digest('sum cid 1 0'),
        1n,
        0n,
      ])
    })

    it('lets each further place after another third of the limit', async () => {
      const early = (site: number) => refused(run.publish(site, 1), w.rounds, 'RoundCoordinator_NotItsTurn', [1, 1, site, site, 0])
      await early(1)
      await pass(1)
      await early(2)
      await pass(1)
      await early(3)
      await pass(2)
      await run.publish(3, 1)
      expect((await round()).publisher).to.equal(3n)
    })

    it('needs seconds and blocks of each third', async () => {
      await helpers.time.increase(LIMIT.seconds * 5)
      await refused(run.publish(4, 1), w.rounds, 'RoundCoordinator_NotItsTurn', [1, 1, 4, 4, 0])
      await helpers.mine(Math.ceil((LIMIT.blocks * 4) / 3), { interval: 0 })
      await run.publish(4, 1)
    })

    it('refuses another attempt, zero digests, strangers to the rota, withdrawn sites and a second publication', async () => {
      await refused(run.publish(0, 1, 1), w.rounds, 'RoundCoordinator_WrongAttempt', [1, 1, 1, 0])
      await refused(run.send(0, 'publish', 1, 0, ZERO, digest('c')), w.rounds, 'RoundCoordinator_ZeroDigest')
      await refused(run.send(0, 'publish', 1, 0, digest('s'), ZERO), w.rounds, 'RoundCoordinator_ZeroDigest')
      await w.send(w.hospital(4).steward, w.studies, 'withdrawSite', run.study)
      await refused(run.publish(4, 1), w.rounds, 'RoundCoordinator_NotApproved', [1, 4])
      const later = await w.openRun(run.study)
      await w.send(w.hospital(4).steward, w.studies, 'approve', run.study, digest('protocol'))
      await later.freeze(1, [0, 1, 2, 3], [0, 1])
      await refused(later.publish(4, 1), w.rounds, 'RoundCoordinator_NotInRota', [2, 1, 4])
      await run.publish(0, 1)
      await refused(run.publish(1, 1), w.rounds, 'RoundCoordinator_WrongPhase', [1, 1, PHASE.Attesting])
    })
  })

  describe('when the leader misses its turn', () => {
    it('passes it over for its next three', async () => {
      await pass(1)
      await run.publish(1, 1)
      await close(1)
      const leaders = []
      for (let number = 2; number <= 18; number++) {
        const leader = Number((await round()).leader)
        leaders.push(leader)
        await run.round(number, leader)
      }
      expect(leaders).to.deep.equal([1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 0])
    })

    it('forgives all when everybody is passed over', async () => {
      await pass(1)
      await run.publish(1, 1)
      await close(1)
      for (const [i, leader] of [1, 2, 3, 4].entries()) {
        expect((await round()).leader).to.equal(BigInt(leader))
        await leaderSilent(i + 2, leader)
      }
      expect((await round()).leader).to.equal(0n)
      await leaderSilent(6, 0)
      expect((await round()).leader).to.equal(1n)
    })

    it('is void when all places have passed, not before', async () => {
      await pass(4)
      expect(names(await run.tick())).to.deep.equal([])
      await pass(1)
      const outcome = await run.tick()
      expect(names(outcome)).to.deep.equal(['RoundVoid', 'RoundOpened'])
      expect([event(outcome, 'RoundVoid').phase, event(outcome, 'RoundOpened').leader]).to.deep.equal([BigInt(PHASE.Publishing), 1n])
    })

    it('lasts the whole limit with fewer than three sites', async () => {
      w = await World.deploy(2)
      run = await w.run({ quorum: 1 })
      await run.freeze(1, [0, 1], [0, 1])
      await pass(2)
      expect(names(await run.tick())).to.deep.equal([])
      await pass(1)
      expect(names(await run.tick())).to.deep.equal(['RoundVoid', 'RoundOpened'])
    })
  })

  describe('when a publication is discarded', () => {
    const wrongSum = async (attempt: number) => {
      for (const site of [2, 3]) await run.attest(site, 1, STATUS.wrongSum, attempt)
      return run.attest(4, 1, STATUS.wrongSum, attempt)
    }

    it('lets the place after its publisher publish at once, earlier ones no more', async () => {
      await run.publish(0, 1)
      const outcome = await wrongSum(0)
      expect(names(outcome)).to.deep.equal(['Attested', 'PublicationDiscarded', 'PhaseBegan'])
      expect(event(outcome, 'PublicationDiscarded')).to.deep.equal({ run: 1n, round: 1n, publisher: 0n, attempt: 0n, wrongSum: true })
      const r = await round()
      expect([r.phase, r.attempt, r.firstPlace, r.publications, r.publisher, r.included]).to.deep.equal([
        BigInt(PHASE.Publishing),
        1n,
        1n,
        1n,
        BigInt(NO_SITE),
        bits(...all),
      ])
      await refused(run.publish(0, 1, 1), w.rounds, 'RoundCoordinator_NotItsTurn', [1, 1, 0, 0, 1])
      await refused(run.publish(2, 1, 1), w.rounds, 'RoundCoordinator_NotItsTurn', [1, 1, 2, 2, 1])
      await run.publish(1, 1, 1)
      await close(1, 1)
      expect((await run.view()).closedRounds).to.equal(1n)
    })

    it('is void after the last place, and after five publications', async () => {
      for (const [attempt, site] of [0, 1, 2, 3].entries()) {
        await run.publish(site, 1, attempt)
        await wrongSum(attempt)
      }
      await run.publish(4, 1, 4)
      const outcome = await wrongSum(4)
      expect(names(outcome)).to.deep.equal(['Attested', 'PublicationDiscarded', 'RoundVoid', 'RoundOpened'])
      expect(event(outcome, 'RoundVoid').phase).to.equal(BigInt(PHASE.Attesting))
    })

    it('is void when its publisher had the last place', async () => {
      await pass(4)
      await run.publish(4, 1)
      expect(names(await wrongSum(0))).to.deep.equal(['Attested', 'PublicationDiscarded', 'RoundVoid', 'RoundOpened'])
    })

    it('is void after five of seven places', async () => {
      w = await World.deploy(7)
      run = await w.run({ minSites: 3, quorum: 2 })
      await run.freeze(1, [0, 1, 2, 3, 4, 5, 6], [0, 1])
      for (let attempt = 0; attempt < 5; attempt++) {
        await run.publish(attempt, 1, attempt)
        for (const site of [0, 1, 2]) await run.attest(site, 1, STATUS.wrongSum, attempt)
        const outcome = await run.attest(3, 1, STATUS.wrongSum, attempt)
        expect(names(outcome).includes('RoundVoid')).to.equal(attempt === 4)
      }
    })
  })
})
