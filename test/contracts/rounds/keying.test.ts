import { expect } from 'chai'
import { event, names, refused } from '../support/expect.ts'
import { bits, digest, ethers, NO_SITE, PHASE, pass, type RunDriver, STATE, STATUS, World, ZERO } from '../support/world.ts'

describe('RoundCoordinator, Keying', () => {
  const all = [0, 1, 2, 3, 4, 5]
  let w: World
  let run: RunDriver

  /** A masked study of six sites, of which five may open a round and four may be enough. */
  beforeEach(async () => {
    w = await World.deploy(6)
    run = await w.run({ mode: 1, minSites: 5, quorum: 4 })
  })

  const round = async () => (await run.view()).round
  const refusedAs = (call: Promise<unknown>, error: string, args?: readonly unknown[]) => refused(call, w.rounds, `RoundCoordinator_${error}`, args)
  const keys = async (number: number, sites: readonly number[]) => {
    for (const site of sites) await run.key(site, number)
  }
  /** Publications that nobody agrees with, by one place after the other; the first is made. */
  const spend = async (number: number, from = 0) => {
    for (let place = 0; place < 5; place++) {
      const attempt = from + place
      if (place > 0) await run.publish(place, number, attempt)
      for (const site of [0, 1, 2]) await run.attest(site, number, STATUS.wrongSum, attempt)
      if (place < 4) await run.attest(3, number, STATUS.wrongSum, attempt)
    }
    return run.attest(3, number, STATUS.wrongSum, from + 4)
  }
  /** Nobody attests, and nobody publishes again, until the run pauses. */
  const letPass = async () => {
    await pass(6)
    for (let i = 0; i < 6 && (await run.view()).state === BigInt(STATE.Active); i++) {
      await run.tick()
      await pass(6)
    }
  }
  const ready = (site: number) => run.send(site, 'ready')
  const paused = { run: 1n, state: BigInt(STATE.Paused), site: BigInt(NO_SITE), reason: 2n }

  describe('when a site has keys', () => {
    it('tells whose shares it holds, and of which deals', async () => {
      const outcome = await run.key(2, 1, bits(0, 2, 5))
      expect(names(outcome)).to.deep.equal(['Keyed'])
      const told = {
        run: 1n,
        round: 1n,
        site: 2n,
        dealDigest: digest('deal 1 2'),
        dealCid: digest('deal cid 1 2'),
        holds: bits(0, 2, 5),
        heldDeals: `0x${'ab'.repeat(92)}`,
      }
      expect(event(outcome, 'Keyed')).to.deep.equal(told)
      const r = await round()
      expect([r.phase, r.keyed, r.awaited, r.contributed]).to.deep.equal([BigInt(PHASE.Keying), bits(2), bits(...all), 0n])
    })

    it('ends the phase with the last awaited', async () => {
      await keys(1, [0, 1, 2, 3, 4])
      const outcome = await run.key(5, 1)
      expect(names(outcome)).to.deep.equal(['Keyed', 'PhaseBegan'])
      expect(event(outcome, 'PhaseBegan')).to.deep.equal({ run: 1n, round: 1n, phase: BigInt(PHASE.Contributing), attempt: 0n })
    })

    it('waits for nobody who abstained, and for five at least', async () => {
      const five = await (await World.deploy(5)).run({ mode: 1, minSites: 5, quorum: 4 })
      for (const site of [0, 1, 2, 3]) await five.key(site, 1)
      expect(names(await five.abstain(4, 1))).to.deep.equal(['Abstained'])
      expect((await five.view()).round.phase).to.equal(BigInt(PHASE.Keying))
      await pass()
      await five.tick()
      const r = (await five.view()).round
      expect([r.phase, r.keyed, r.awaited]).to.deep.equal([BigInt(PHASE.Contributing), bits(0, 1, 2, 3), bits(0, 1, 2, 3)])
    })

    it('does not wait for a site that withdrew', async () => {
      await keys(1, [0, 1, 2, 3])
      await w.send(w.hospital(5).steward, w.studies, 'withdrawSite', run.study)
      expect(names(await run.key(4, 1))).to.deep.equal(['Keyed', 'PhaseBegan'])
    })

    it('may still abstain: its shares stay out', async () => {
      await keys(1, [0, 1, 2, 3, 4])
      await run.abstain(4, 1)
      expect(names(await run.abstain(5, 1))).to.deep.equal(['Abstained', 'PhaseBegan'])
      const r = await round()
      expect([r.phase, r.keyed, r.awaited, r.abstained]).to.deep.equal([BigInt(PHASE.Contributing), bits(0, 1, 2, 3, 4), bits(0, 1, 2, 3), bits(4, 5)])
      await refusedAs(run.contribute(4, 1), 'AlreadyAbstained', [1, 1, 4])
    })

    it('refuses a second time, and one after abstaining', async () => {
      await run.key(0, 1)
      await refusedAs(run.key(0, 1), 'AlreadyKeyed', [1, 1, 0])
      await run.abstain(1, 1)
      await refusedAs(run.key(1, 1), 'AlreadyAbstained', [1, 1, 1])
    })

    it('refuses zero digests, shares of strangers and names of fewer or more deals than it holds', async () => {
      await refusedAs(run.send(0, 'key', 1, ZERO, digest('cid'), 0, '0x'), 'ZeroDigest')
      await refusedAs(run.send(0, 'key', 1, digest('deal'), ZERO, 0, '0x'), 'ZeroDigest')
      await refusedAs(run.key(0, 1, bits(0, 6, 200)), 'NoSuchDeal', [1, 1, bits(6, 200)])
      for (const bytes of [0, 59, 61, 80])
        await refusedAs(run.send(0, 'key', 1, digest('deal'), digest('cid'), bits(0, 2, 5), `0x${'00'.repeat(bytes)}`), 'WrongHeldDeals', [1, 1, 60, bytes])
    })

    it('refuses another round, another phase and an open study', async () => {
      await refusedAs(run.key(0, 2), 'NotCurrentRound', [1, 2, 1])
      await refusedAs(run.contribute(0, 1), 'WrongPhase', [1, 1, PHASE.Keying])
      await refusedAs(run.send(0, 'extend', 1), 'WrongPhase', [1, 1, PHASE.Keying])
      await keys(1, all)
      await refusedAs(run.key(0, 1), 'WrongPhase', [1, 1, PHASE.Contributing])
      const open = await w.run()
      await refusedAs(open.key(0, 1), 'WrongPhase', [2, 1, PHASE.Contributing])
    })

    it('refuses strangers, withdrawn sites, unknown runs and a run at rest', async () => {
      await refused(w.send(w.hospital(0).steward, w.rounds, 'key', 1, 1, digest('a'), digest('b'), 0, '0x'), w.sites, 'SiteRegistry_NotNode')
      await w.send(w.hospital(5).steward, w.studies, 'withdrawSite', run.study)
      await refusedAs(run.key(5, 1), 'NotApproved', [run.study, 5])
      await refused(w.send(w.hospital(0).node, w.rounds, 'key', 9, 1, digest('a'), digest('b'), 0, '0x'), w.rounds, 'RoundCoordinator_UnknownRun', [9])
      await run.send(0, 'halt', 0)
      await refusedAs(run.key(0, 1), 'RunNotActive', [1, STATE.Halted])
    })

    it('refuses who was not in the rota', async () => {
      const seven = await World.deploy(7)
      await seven.send(seven.hospital(0).node, seven.studies, 'publish', digest('protocol'), digest('cid'), masked)
      for (const site of all) await seven.send(seven.hospital(site).steward, seven.studies, 'approve', 1, digest('protocol'))
      await seven.send(seven.hospital(0).node, seven.studies, 'publishEpoch', 1, 0, digest('c'), digest('b'))
      const late = await seven.openRun(1)
      await seven.send(seven.hospital(6).steward, seven.studies, 'approve', 1, digest('protocol'))
      await refused(late.key(6, 1), seven.rounds, 'RoundCoordinator_NotInRota', [1, 1, 6])
    })

    it('is no business of the code behind the call', async () => {
      const code = await ethers.deployContract('MaskedRounds', [w.sites, w.studies, w.ledger, w.privacy])
      await refused(w.send(w.hospital(0).node, code, 'key', 1, 1, digest('a'), digest('b'), 0, '0x'), code, 'RoundCoordinator_UnknownRun', [1])
    })
  })

  describe('when the limit has passed', () => {
    it('goes on with more than two thirds of the keys, and only with those', async () => {
      await keys(1, [0, 2, 3, 4, 5])
      await pass()
      expect(names(await run.tick())).to.deep.equal(['PhaseBegan'])
      await refusedAs(run.contribute(1, 1), 'NotKeyed', [1, 1, 1])
      await refusedAs(run.send(1, 'extend', 1), 'NotAwaited', [1, 1, 1])
      for (const site of [0, 2, 3, 4]) await run.contribute(site, 1)
      expect(names(await run.contribute(5, 1))).to.deep.equal(['Contributed', 'PhaseBegan'])
    })

    it('is void with fewer, though they are a quorum, and in the next it is with those that are more than two thirds of them', async () => {
      await keys(1, [0, 1, 4, 5])
      await pass()
      const outcome = await run.tick()
      expect(names(outcome)).to.deep.equal(['RoundVoid', 'RoundOpened'])
      expect(event(outcome, 'RoundVoid').phase).to.equal(BigInt(PHASE.Keying))
      const r = await round()
      expect([r.phase, r.keyed, r.awaited, r.leader]).to.deep.equal([BigInt(PHASE.Keying), 0n, bits(0, 1, 4, 5), 1n])
      await refusedAs(run.key(2, 2), 'NotAwaited', [1, 2, 2])
      await run.send(2, 'ready')
      await keys(2, [0, 1, 4, 5])
      await pass()
      await run.tick()
      await run.freeze(2, [0, 1, 4, 5], [1, 2])
      expect((await round()).included).to.equal(bits(0, 1, 4, 5))
      await run.publish(1, 2)
      for (const site of [0, 1, 4]) await run.attest(site, 2)
      expect((await round()).awaited).to.equal(bits(0, 1, 2, 4, 5))
    })

    it('awaits the whole rota where fewer than a quorum would be', async () => {
      await keys(1, [1, 4, 5])
      await run.abstain(4, 1)
      await pass()
      await run.tick()
      const r = await round()
      expect([r.phase, r.keyed, r.awaited, r.leader]).to.deep.equal([BigInt(PHASE.Keying), 0n, bits(...all), 1n])
    })

    it('makes the step before the call that comes too late', async () => {
      await keys(1, [0, 1, 2, 3, 5])
      await pass()
      await refusedAs(run.key(4, 1), 'WrongPhase', [1, 1, PHASE.Contributing])
      expect(names(await run.contribute(0, 1))).to.deep.equal(['PhaseBegan', 'Contributed'])
    })

    it('needs its seconds and its blocks', async () => {
      await pass(2)
      expect(names(await run.tick())).to.deep.equal([])
    })
  })

  describe('when sites with keys drop out', () => {
    beforeEach(() => keys(1, all))

    it('is void with two thirds of the sites, though they are a quorum', async () => {
      for (const site of [0, 1, 2, 3]) await run.contribute(site, 1)
      await pass()
      expect(event(await run.tick(), 'RoundVoid').phase).to.equal(BigInt(PHASE.Contributing))
    })

    it('is void when the freeze would leave so few', async () => {
      for (const site of [0, 1, 2, 3, 4]) await run.contribute(site, 1)
      await run.abstain(5, 1)
      expect((await round()).phase).to.equal(BigInt(PHASE.Witnessing))
      await w.send(w.hospital(4).steward, w.studies, 'withdrawSite', run.study)
      await run.witness(0, 1, bits(0, 1, 2, 3, 4))
      expect(names(await run.witness(1, 1, bits(0, 1, 2, 3, 4)))).to.deep.equal(['Witnessed', 'RoundVoid', 'RoundOpened'])
    })

    it('goes on with one more', async () => {
      for (const site of [0, 1, 2, 3, 4]) await run.contribute(site, 1)
      await run.abstain(5, 1)
      await run.witness(0, 1, bits(0, 1, 2, 3, 4))
      expect(event(await run.witness(1, 1, bits(0, 1, 2, 3, 4)), 'Frozen').included).to.equal(bits(0, 1, 2, 3, 4))
    })
  })

  describe('when sites without keys stay away', () => {
    it('needs more than two thirds of who was awaited, not of who has keys', async () => {
      await keys(1, [0, 1, 2, 3, 4])
      await run.abstain(5, 1)
      for (const site of [0, 1, 2, 3]) await run.contribute(site, 1)
      await pass()
      expect(event(await run.tick(), 'RoundVoid').phase).to.equal(BigInt(PHASE.Contributing))
      const r = await round()
      expect([r.phase, r.awaited]).to.deep.equal([BigInt(PHASE.Keying), bits(0, 1, 2, 3)])
    })

    it('counts them alone to go on with a set that stayed', async () => {
      await keys(1, [0, 1, 2, 3, 4])
      await pass()
      await run.tick()
      await run.freeze(1, [0, 1, 2, 3, 4], [0, 1])
      expect((await round()).threshold).to.equal(5n)
      await run.publish(0, 1)
      await letPass()
      for (const site of [0, 1, 2, 3]) await ready(site)
      expect((await run.view()).state, 'four of five could not unmask what six shared').to.equal(BigInt(STATE.Paused))
      expect(names(await ready(4))).to.deep.equal(['SiteReady', 'RunStateChanged', 'PhaseBegan'])
    })

    it('counts who keyed, in the set that stayed or not', async () => {
      await keys(1, all)
      await run.abstain(5, 1)
      await run.freeze(1, [0, 1, 2, 3, 4], [0, 1])
      await run.publish(0, 1)
      await letPass()
      for (const site of [0, 1, 2, 3]) await ready(site)
      expect((await run.view()).state, 'four could not unmask what six shared').to.equal(BigInt(STATE.Paused))
      expect(names(await ready(5)), 'not in the set').to.deep.equal(['SiteReady', 'RunStateChanged', 'PhaseBegan'])
    })

    it('waits no more, in a deep round after one that was void in Keying, for who has none', async () => {
      await keys(1, all)
      await run.freeze(1, all, [0, 1])
      await pass(6)
      await run.tick()
      expect((await round()).awaited).to.equal(bits(...all))
      await keys(2, [0, 1, 2, 3])
      await pass()
      await run.tick()
      const r = await round()
      expect([r.round, r.awaited, r.custodianPlaces]).to.deep.equal([3n, bits(0, 1, 2, 3), [6n]])
      await keys(3, [0, 1, 2, 3])
      await pass()
      expect(names(await run.tick())).to.deep.equal(['PhaseBegan'])
    })
  })

  describe('when a set is frozen', () => {
    beforeEach(async () => {
      await keys(1, all)
      await run.freeze(1, all, [0, 1])
    })

    it('draws new keys when it comes to nothing before a publication', async () => {
      await pass(6)
      const outcome = await run.tick()
      expect(names(outcome)).to.deep.equal(['RoundVoid', 'RoundOpened'])
      const r = await round()
      expect([r.phase, r.keyed]).to.deep.equal([BigInt(PHASE.Keying), 0n])
    })

    it('stays when publications are spent, and the run pauses', async () => {
      await run.publish(0, 1)
      const outcome = await spend(1)
      expect(names(outcome)).to.deep.equal(['Attested', 'PublicationDiscarded', 'RunStateChanged'])
      expect(event(outcome, 'RunStateChanged')).to.deep.equal(paused)
      const r = await round()
      expect([r.round, r.phase, r.attempt, r.firstPlace, r.included]).to.deep.equal([1n, BigInt(PHASE.Publishing), 5n, 0n, bits(...all)])
      await refusedAs(run.publish(0, 1, 5), 'RunNotActive', [1, STATE.Paused])
    })

    it('stays when nobody publishes it again, and the run pauses', async () => {
      await run.publish(0, 1)
      for (const site of [0, 1, 2, 3]) await run.attest(site, 1, STATUS.wrongSum)
      await pass(5)
      const outcome = await run.tick()
      expect(names(outcome)).to.deep.equal(['RunStateChanged'])
      expect(event(outcome, 'RunStateChanged')).to.deep.equal(paused)
      expect([(await round()).attempt, (await round()).firstPlace]).to.deep.equal([1n, 0n])
    })

    it('is published anew once as many are ready as can unmask it', async () => {
      await run.publish(0, 1)
      await spend(1)
      for (const site of [0, 1, 2]) await ready(site)
      expect(names(await ready(3)), 'more than half').to.deep.equal(['SiteReady'])
      expect(names(await run.tick())).to.deep.equal([])
      await pass(5)
      const outcome = await ready(5)
      expect(names(outcome)).to.deep.equal(['SiteReady', 'RunStateChanged', 'PhaseBegan'])
      expect(event(outcome, 'PhaseBegan')).to.deep.equal({ run: 1n, round: 1n, phase: BigInt(PHASE.Publishing), attempt: 5n })
      await run.publish(0, 1, 5)
      for (const site of [0, 1, 2]) await run.attest(site, 1, STATUS.continue, 5)
      expect(names(await run.attest(3, 1, STATUS.continue, 5))).to.deep.equal(['Attested', 'RoundClosed', 'RoundOpened', 'LineageExtended'])
      expect((await run.view()).voidsInARow).to.equal(0n)
    })

    it('has as many publications after a pause as before', async () => {
      await run.publish(0, 1)
      for (const site of [0, 1, 2, 3]) await run.attest(site, 1, STATUS.wrongSum)
      await pass(5)
      await run.tick()
      for (const site of [0, 1, 2, 3, 4]) await ready(site)
      await run.publish(0, 1, 1)
      expect(names(await spend(1, 1))).to.deep.equal(['Attested', 'PublicationDiscarded', 'RunStateChanged'])
      expect((await round()).attempt).to.equal(6n)
    })

    it('is over when too many of it left the study to unmask it', async () => {
      await run.publish(0, 1)
      await spend(1)
      for (const site of [4, 5]) await run.world.send(run.world.hospital(site).steward, run.world.studies, 'withdrawSite', 1)
      for (const site of [0, 1]) await ready(site)
      const outcome = await ready(2)
      expect(names(outcome)).to.deep.equal(['SiteReady', 'RunStateChanged'])
      expect(event(outcome, 'RunStateChanged').state).to.equal(BigInt(STATE.Ended))
    })

    it('closes once it can be unmasked, however often liars were ready and had it published in vain', async () => {
      await run.publish(0, 1)
      for (const from of [0, 5, 10, 15, 20]) {
        expect(event(await spend(1, from), 'RunStateChanged')).to.deep.equal(paused)
        for (const site of [0, 1, 2, 3, 4]) await ready(site)
        await run.publish(0, 1, from + 5)
      }
      for (const site of [0, 1, 2]) await run.attest(site, 1, STATUS.continue, 25)
      expect(names(await run.attest(5, 1, STATUS.continue, 25))).to.include('RoundClosed')
    })

    it('ends the run after the last row of publications that can be counted', async () => {
      await run.publish(0, 1)
      // Rows of one publication, and of five
      for (const site of [0, 1, 2, 3]) await run.attest(site, 1, STATUS.wrongSum)
      await pass(5)
      await run.tick()
      for (let from = 1; from <= 230; from += 5) {
        for (const site of [0, 1, 2, 3, 4]) await ready(site)
        await run.publish(0, 1, from)
        expect(event(await spend(1, from), 'RunStateChanged')).to.deep.equal(paused)
      }
      expect((await round()).attempt).to.equal(231n)
      for (const site of [0, 1, 2, 3, 4]) await ready(site)
      await run.publish(0, 1, 231)
      const outcome = await spend(1, 231)
      expect(names(outcome)).to.deep.equal(['Attested', 'PublicationDiscarded', 'RunStateChanged'])
      expect(event(outcome, 'RunStateChanged'), 'a row from 236 on would not be whole').to.deep.equal({ ...paused, state: BigInt(STATE.Ended), reason: 0n })
      await refusedAs(run.key(0, 1), 'RunNotActive', [1, STATE.Ended])
      await refusedAs(ready(0), 'RunNotActive', [1, STATE.Ended])
    })

    it('begins the next round with new keys, on another model', async () => {
      await run.publish(0, 1)
      for (const site of [0, 1, 2]) await run.attest(site, 1)
      expect(names(await run.attest(3, 1))).to.deep.equal(['Attested', 'RoundClosed', 'RoundOpened', 'LineageExtended'])
      expect((await round()).phase).to.equal(BigInt(PHASE.Keying))
    })

    it('ends the run when the next round would begin from the same model', async () => {
      const same = [digest('model 0'), digest('model cid 0')]
      await run.publish(0, 1)
      for (const site of [0, 1, 2]) await run.send(site, 'attest', 1, 0, ...same, STATUS.continue, digest('own'))
      const outcome = await run.send(3, 'attest', 1, 0, ...same, STATUS.continue, digest('own'))
      expect(names(outcome)).to.deep.equal(['Attested', 'RoundClosed', 'RunStateChanged', 'LineageExtended'])
      expect(event(outcome, 'RunStateChanged')).to.deep.equal({ run: 1n, state: BigInt(STATE.Ended), site: BigInt(NO_SITE), reason: 1n })
    })
  })
})

const masked = {
  ...{ minSites: 5, quorum: 4, maxRounds: 9, wordBits: 64, slices: 1, mode: 1, exact: true },
  limits: Array.from({ length: 5 }, () => ({ seconds_: 60, blocks: 40 })),
  arithmeticVersion: digest('arithmetic'),
}
