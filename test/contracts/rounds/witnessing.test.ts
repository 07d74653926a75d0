import { expect } from 'chai'
import { event, names, refused } from '../support/expect.ts'
import { bits, digest, PHASE, pass, type RunDriver, World } from '../support/world.ts'

describe('RoundCoordinator, Witnessing', () => {
  const begin = async (n: number, contributors: readonly number[], change = {}): Promise<[World, RunDriver]> => {
    const w = await World.deploy(n)
    const run = await w.run({ minSites: Math.min(3, n), quorum: Math.min(2, n), ...change })
    for (const site of contributors) await run.contribute(site, 1)
    if (contributors.length < n) {
      await pass()
      await run.tick()
    }
    return [w, run]
  }
  const round = async (run: RunDriver) => (await run.view()).round

  describe('when a custodian witnesses', () => {
    it('records its bitmap', async () => {
      const [, run] = await begin(5, [0, 1, 2, 3, 4])
      const outcome = await run.witness(2, 1, bits(1, 3))
      expect(event(outcome, 'Witnessed')).to.deep.equal({ run: 1n, round: 1n, site: 2n, slice: 0n, held: bits(1, 3) })
      expect([...(await round(run)).witnessed]).to.deep.equal([bits(2)])
    })

    it('freezes when two bitmaps name every contributor', async () => {
      const [, run] = await begin(5, [0, 1, 2, 3])
      await run.witness(0, 1, bits(0, 1, 2, 3))
      const outcome = await run.witness(1, 1, bits(0, 1, 2, 3))
      expect(names(outcome)).to.deep.equal(['Witnessed', 'Frozen', 'PhaseBegan'])
      const r = await round(run)
      expect([event(outcome, 'Frozen').included, event(outcome, 'Frozen').accumulator]).to.deep.equal([bits(0, 1, 2, 3), r.accumulator])
      expect([r.included, r.phase, r.firstPlace, r.attempt]).to.deep.equal([bits(0, 1, 2, 3), BigInt(PHASE.Publishing), 0n, 0n])
    })

    it('freezes what two of them name when all have witnessed', async () => {
      const [, run] = await begin(5, [0, 1, 2, 3, 4])
      await run.witness(0, 1, bits(0, 1, 2))
      await run.witness(1, 1, bits(1, 2, 3))
      await run.witness(2, 1, bits(3, 4))
      expect((await round(run)).included).to.equal(bits(1, 2, 3))
    })

    it('leaves out a site that contributed and serves nobody, and one that withdrew', async () => {
      const [w, run] = await begin(5, [0, 1, 2, 3, 4])
      await w.send(w.hospital(4).steward, w.studies, 'withdrawSite', run.study)
      for (const site of [0, 1, 2]) await run.witness(site, 1, bits(0, 1, 2, 4))
      expect((await round(run)).included).to.equal(bits(0, 1, 2))
    })

    it('asks the next three when all have witnessed and fewer than the quorum stand', async () => {
      const [, run] = await begin(7, [0, 1, 2, 3, 4, 5, 6], { minSites: 4, quorum: 4 })
      for (const site of [0, 1]) await run.witness(site, 1, bits(0, 1, 2))
      const outcome = await run.witness(2, 1, bits(3, 4, 5, 6))
      expect(names(outcome)).to.deep.equal(['Witnessed', 'PhaseBegan'])
      expect(event(outcome, 'PhaseBegan').phase).to.equal(BigInt(PHASE.Witnessing))
      expect([...(await round(run)).custodianPlaces]).to.deep.equal([6n])
      for (const site of [3, 4]) await run.witness(site, 1, bits(3, 4, 5))
      expect((await round(run)).phase).to.equal(BigInt(PHASE.Witnessing))
      await run.witness(5, 1, bits(6))
      expect((await round(run)).included).to.equal(bits(0, 1, 2, 3, 4, 5, 6))
    })

    it('is void when the whole rota has witnessed and fewer than the quorum stand', async () => {
      const [, run] = await begin(5, [0, 1, 2, 3, 4], { quorum: 3 })
      await run.witness(0, 1, bits(0, 1))
      await run.witness(1, 1, bits(0, 1))
      for (const site of [2, 3]) await run.witness(site, 1, bits(site))
      const outcome = await run.witness(4, 1, bits(4))
      expect(names(outcome)).to.deep.equal(['Witnessed', 'RoundVoid', 'RoundOpened'])
      expect([event(outcome, 'RoundVoid').phase, (await run.view(1)).round.included]).to.deep.equal([BigInt(PHASE.Witnessing), 0n])
    })

    it('is void at once when fewer than the quorum of contributors are still approved', async () => {
      const [w, run] = await begin(5, [0, 1, 2], { quorum: 3 })
      await w.send(w.hospital(2).steward, w.studies, 'withdrawSite', run.study)
      await run.witness(0, 1, bits(0, 1, 2))
      expect(names(await run.witness(1, 1, bits(0, 1, 2)))).to.deep.equal(['Witnessed', 'RoundVoid', 'RoundOpened'])
    })

    it('refuses non-custodians, a second bitmap, strangers in it, unknown slices', async () => {
      const [w, run] = await begin(5, [0, 1, 2, 3])
      await refused(run.witness(3, 1, bits(0)), w.rounds, 'RoundCoordinator_NotCustodian', [1, 1, 3, 0])
      await refused(run.witness(0, 1, bits(0, 4, 9)), w.rounds, 'RoundCoordinator_NotContributed', [1, 1, bits(4, 9)])
      await refused(run.witness(0, 1, bits(0), 1), w.rounds, 'RoundCoordinator_UnknownSlice', [1, 1])
      await run.witness(0, 1, bits(0))
      await refused(run.witness(0, 1, bits(0, 1)), w.rounds, 'RoundCoordinator_AlreadyWitnessed', [1, 1, 0, 0])
      await refused(run.publish(0, 1), w.rounds, 'RoundCoordinator_WrongPhase', [1, 1, PHASE.Witnessing])
    })

    it('refuses a withdrawn custodian, and one that was not in the rota', async () => {
      const [w, run] = await begin(5, [0, 1, 2, 3, 4])
      await w.send(w.hospital(0).steward, w.studies, 'withdrawSite', run.study)
      await refused(run.witness(0, 1, bits(0)), w.rounds, 'RoundCoordinator_NotApproved', [1, 0])
      const second = await w.openRun(run.study, 1)
      await w.send(w.hospital(0).steward, w.studies, 'approve', run.study, digest('protocol'))
      for (const site of [1, 2, 3, 4]) await second.contribute(site, 1)
      await refused(second.witness(0, 1, bits(1)), w.rounds, 'RoundCoordinator_NotCustodian', [2, 1, 0, 0])
    })
  })

  describe('when the limit has passed', () => {
    it('freezes with two bitmaps', async () => {
      const [, run] = await begin(5, [0, 1, 2, 3, 4])
      await run.witness(0, 1, bits(0, 1, 2, 3))
      await run.witness(2, 1, bits(0, 1, 2))
      await pass()
      expect(names(await run.tick())).to.deep.equal(['Frozen', 'PhaseBegan'])
      expect((await round(run)).included).to.equal(bits(0, 1, 2))
    })

    it('asks the next three with fewer; earlier bitmaps count', async () => {
      const [w, run] = await begin(5, [0, 1, 2, 3, 4])
      await run.witness(1, 1, bits(0, 1, 2, 3, 4))
      await pass()
      const outcome = await run.tick()
      expect(names(outcome)).to.deep.equal(['PhaseBegan'])
      expect(event(outcome, 'PhaseBegan').phase).to.equal(BigInt(PHASE.Witnessing))
      expect([...(await round(run)).custodianPlaces]).to.deep.equal([5n])
      await refused(run.witness(1, 1, 0n), w.rounds, 'RoundCoordinator_AlreadyWitnessed', [1, 1, 1, 0])
      await run.witness(4, 1, bits(0, 1, 2, 3, 4))
      expect((await round(run)).phase).to.equal(BigInt(PHASE.Publishing))
    })

    it('is void once the whole rota was asked', async () => {
      const [, run] = await begin(5, [0, 1, 2, 3, 4])
      await pass()
      await run.tick()
      await pass()
      const outcome = await run.tick()
      expect(names(outcome)).to.deep.equal(['RoundVoid', 'RoundOpened'])
      expect(event(outcome, 'RoundVoid').phase).to.equal(BigInt(PHASE.Witnessing))
    })

    it('counts places afresh in a later round of the same ring slot', async () => {
      const [, run] = await begin(4, [0, 1, 2, 3])
      await pass()
      await run.tick()
      for (const site of [2, 3]) await run.witness(site, 1, bits(0, 1, 2, 3))
      await run.publish(0, 1)
      for (const site of [0, 1, 2]) await run.attest(site, 1)
      for (let number = 2; number <= 8; number++) await run.round(number, (number - 1) % 4)
      const r = await round(run)
      expect([r.round, [...r.custodianPlaces], [...r.witnessed]]).to.deep.equal([9n, [3n], [0n]])
    })
  })

  describe('given few sites', () => {
    it('one is its own custodian', async () => {
      const [, run] = await begin(1, [0], { quorum: 1 })
      expect(names(await run.witness(0, 1, bits(0)))).to.deep.equal(['Witnessed', 'Frozen', 'PhaseBegan'])
    })

    it('two are both custodians', async () => {
      const [, run] = await begin(2, [0, 1], { quorum: 1 })
      await run.witness(0, 1, bits(0, 1))
      expect((await round(run)).included).to.equal(0n)
      await run.witness(1, 1, bits(0))
      expect((await round(run)).included).to.equal(bits(0))
    })
  })

  describe('given slices', () => {
    it('includes what stands in every slice', async () => {
      const [w, run] = await begin(4, [0, 1, 2, 3], { slices: 3 })
      await refused(run.witness(3, 1, bits(0), 0), w.rounds, 'RoundCoordinator_NotCustodian', [1, 1, 3, 0])
      for (const site of [0, 1]) await run.witness(site, 1, bits(0, 1, 2, 3), 0)
      for (const site of [1, 2, 3]) await run.witness(site, 1, bits(0, 1, 2), 1)
      expect((await round(run)).phase).to.equal(BigInt(PHASE.Witnessing))
      await run.witness(3, 1, bits(1, 2, 3), 2)
      await run.witness(0, 1, bits(0, 1, 2, 3), 2)
      expect((await round(run)).phase).to.equal(BigInt(PHASE.Witnessing))
      await run.witness(2, 1, bits(1), 2)
      const r = await round(run)
      expect([r.included, [...r.witnessed]]).to.deep.equal([bits(1, 2), [bits(0, 1), bits(1, 2, 3), bits(0, 2, 3)]])
    })

    it('adds custodians to the slices that lack an update, and to no other', async () => {
      const [, run] = await begin(7, [0, 1, 2, 3, 4, 5, 6], { slices: 2 })
      const all = bits(0, 1, 2, 3, 4, 5, 6)
      for (const site of [0, 1]) await run.witness(site, 1, all, 0)
      await pass()
      await run.tick()
      expect([...(await round(run)).custodianPlaces]).to.deep.equal([3n, 6n])
      await pass()
      await run.tick()
      expect([...(await round(run)).custodianPlaces]).to.deep.equal([3n, 7n])
      await run.witness(0, 1, bits(0, 1, 2), 1)
      expect((await round(run)).phase).to.equal(BigInt(PHASE.Witnessing))
      await run.witness(6, 1, all, 1)
      await pass()
      await run.tick()
      expect((await round(run)).included).to.equal(bits(0, 1, 2))
    })

    it('asks for each slice that lacks one when too few stand in all of them', async () => {
      const [, run] = await begin(7, [0, 1, 2, 3, 4, 5, 6], { slices: 3, minSites: 4, quorum: 4 })
      const all = bits(0, 1, 2, 3, 4, 5, 6)
      for (const site of [0, 1]) await run.witness(site, 1, all, 0)
      for (const site of [1, 2]) await run.witness(site, 1, bits(0, 1, 2, 3), 1)
      for (const site of [2, 3, 4]) await run.witness(site, 1, bits(3, 4, 5, 6), 2)
      await pass()
      expect(names(await run.tick())).to.deep.equal(['PhaseBegan'])
      expect([...(await round(run)).custodianPlaces]).to.deep.equal([3n, 6n, 6n])
      for (const site of [3, 4]) await run.witness(site, 1, all, 1)
      for (const site of [5, 6]) await run.witness(site, 1, all, 2)
      expect((await round(run)).included).to.equal(all)
    })

    it('forgets custodians that were added in an older round of the same ring slot', async () => {
      const [, run] = await begin(4, [0, 1, 2, 3], { slices: 2 })
      const all = bits(0, 1, 2, 3)
      await pass()
      await run.tick()
      for (let number = 1; number <= 8; number++) {
        const leader = (number - 1) % 4
        for (const site of number === 1 ? [] : [0, 1, 2, 3]) await run.contribute(site, number)
        for (const slice of [0, 1]) for (const place of [slice, slice + 1]) await run.witness((leader + place) % 4, number, all, slice)
        await run.publish(leader, number)
        for (const site of [0, 1, 2]) await run.attest(site, number)
      }
      for (const site of [0, 1, 2, 3]) await run.contribute(site, 9)
      for (const site of [0, 1]) await run.witness(site, 9, all, 0)
      await pass()
      await run.tick()
      expect([...(await round(run)).custodianPlaces]).to.deep.equal([3n, 4n])
    })

    it('freezes at the limit when each has two bitmaps', async () => {
      const [, run] = await begin(4, [0, 1, 2, 3], { slices: 2 })
      for (const site of [0, 1]) await run.witness(site, 1, bits(0, 1, 2), 0)
      for (const site of [1, 2]) await run.witness(site, 1, bits(1, 2, 3), 1)
      await pass()
      await run.tick()
      expect((await round(run)).included).to.equal(bits(1, 2))
    })
  })
})
