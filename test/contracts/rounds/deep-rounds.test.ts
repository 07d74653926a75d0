import { expect } from 'chai'
import { event, names, refused } from '../support/expect.ts'
import { bits, PHASE, pass, type RunDriver, STATE, STATUS, World } from '../support/world.ts'

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

describe('RoundCoordinator, deep rounds', () => {
  const begin = async (n: number, change = {}): Promise<[World, RunDriver]> => {
    const world = await World.deploy(n)
    return [world, await world.run({ minSites: Math.min(3, n), quorum: Math.min(2, n), ...change })]
  }
  const round = async (run: RunDriver) => (await run.view()).round
  const places = async (run: RunDriver): Promise<bigint[]> => [...(await round(run)).custodianPlaces]
  const everybodyContributes = async (run: RunDriver, number: number): Promise<void> => {
    for (const site of range(run.world.hospitals.length)) await run.contribute(site, number)
  }
  /** Two custodians name everything, and then nobody can add it up. */
  const comeToNothing = async (run: RunDriver, number: number, slices = 1): Promise<void> => {
    const n = run.world.hospitals.length
    await everybodyContributes(run, number)
    const { turn } = await round(run)
    for (const slice of range(slices))
      for (const place of n === 1 ? [0] : [slice, slice + 1]) await run.witness((Number(turn) + place) % n, number, bits(...range(n)), slice)
    await pass(Math.max(3, n))
    await run.tick()
  }
  /** The second round, deep, with everybody's update. */
  const deep = async (n: number, change: { readonly slices?: number; readonly quorum?: number } = {}): Promise<[World, RunDriver]> => {
    const [world, run] = await begin(n, change)
    await comeToNothing(run, 1, change.slices)
    await everybodyContributes(run, 2)
    return [world, run]
  }
  const attestAll = async (run: RunDriver, number: number, status: number = STATUS.continue): Promise<void> => {
    const { leader, included } = await round(run)
    await run.publish(Number(leader), number)
    for (const site of range(run.world.hospitals.length)) if ((included >> BigInt(site)) & 1n) await run.attest(site, number, status)
  }

  describe('when a round was frozen and came to nothing', () => {
    it('asks the whole rota in the next', async () => {
      const [world, run] = await deep(7)
      expect(await places(run)).to.deep.equal([7n])
      await refused(run.witness(6, 2, bits(9)), world.rounds, 'RoundCoordinator_NotContributed', [1, 2, bits(9)])
      for (const site of [0, 6]) await run.witness(site, 2, bits(0))
      await refused(run.witness(6, 2, bits(0)), world.rounds, 'RoundCoordinator_AlreadyWitnessed', [1, 2, 6, 0])
      expect([...(await round(run)).witnessed]).to.deep.equal([bits(0, 6)])
    })

    it('asks it after a round whose publications are spent', async () => {
      const [, run] = await begin(4)
      await run.freeze(1, range(4), [0, 1])
      for (const site of range(4)) {
        await run.publish(site, 1, site)
        for (const other of [0, 1, 2]) await run.attest(other, 1, STATUS.wrongSum, site)
      }
      expect([(await round(run)).round, await places(run)]).to.deep.equal([2n, [4n]])
    })
  })

  describe('when its custodians witness', () => {
    it('leaves out what only a minority claims, however it sits in the rota', async () => {
      const [, run] = await deep(7)
      for (const liar of [1, 2, 3]) await run.witness(liar, 2, bits(...range(7)))
      for (const site of [0, 4, 5]) await run.witness(site, 2, bits(0, 1, 3, 4, 5, 6))
      expect((await round(run)).phase).to.equal(BigInt(PHASE.Witnessing))
      expect(names(await run.witness(6, 2, bits(0, 1, 3, 4, 5, 6)))).to.deep.equal(['Witnessed', 'Frozen', 'PhaseBegan'])
      expect((await round(run)).included).to.equal(bits(0, 1, 3, 4, 5, 6))
    })

    it('freezes as soon as a majority names every contributor', async () => {
      const [, run] = await deep(6)
      for (const site of [5, 3, 1]) await run.witness(site, 2, bits(...range(6)))
      expect((await round(run)).phase).to.equal(BigInt(PHASE.Witnessing))
      const outcome = await run.witness(0, 2, bits(...range(6)))
      expect(event(outcome, 'Frozen').included).to.equal(bits(...range(6)))
    })

    it('is void when all have witnessed and fewer than the quorum stand', async () => {
      const [, run] = await deep(5)
      for (const site of [0, 1]) await run.witness(site, 2, bits(...range(5)))
      for (const site of [2, 3]) await run.witness(site, 2, bits(4))
      const outcome = await run.witness(4, 2, bits(4))
      expect(names(outcome)).to.deep.equal(['Witnessed', 'RoundVoid', 'RoundOpened'])
      expect(event(outcome, 'RoundVoid').phase).to.equal(BigInt(PHASE.Witnessing))
    })

    it('leaves out a site that withdrew', async () => {
      const [world, run] = await deep(5)
      await world.send(world.hospital(2).steward, world.studies, 'withdrawSite', run.study)
      for (const site of [0, 1, 3]) await run.witness(site, 2, bits(...range(5)))
      expect((await round(run)).included).to.equal(bits(0, 1, 3, 4))
    })
  })

  describe('when the limit has passed', () => {
    it('freezes what a majority names, once a majority has witnessed', async () => {
      const [, run] = await deep(7)
      await run.witness(0, 2, bits(0, 1, 2, 3, 4, 5, 6))
      await run.witness(1, 2, bits(0, 1, 2, 3, 4, 5, 6))
      await run.witness(5, 2, bits(0, 1, 2, 3, 4, 5))
      await run.witness(6, 2, bits(0, 1, 2, 3, 4))
      await pass()
      expect(names(await run.tick())).to.deep.equal(['Frozen', 'PhaseBegan'])
      expect((await round(run)).included).to.equal(bits(0, 1, 2, 3, 4))
    })

    it('waits as long as another round would with one bitmap fewer, and what was said counts on', async () => {
      const [, run] = await deep(7)
      for (const site of [0, 1, 2]) await run.witness(site, 2, bits(0, 1, 2, 3))
      for (const _ of [6, 7]) {
        await pass()
        const outcome = await run.tick()
        expect([names(outcome), event(outcome, 'PhaseBegan').phase]).to.deep.equal([['PhaseBegan'], BigInt(PHASE.Witnessing)])
      }
      expect(await places(run)).to.deep.equal([7n])
      await run.witness(6, 2, bits(0, 1, 2, 3))
      await pass()
      await run.tick()
      expect((await round(run)).included).to.equal(bits(0, 1, 2, 3))
    })

    it('waits on where fewer than the quorum stand and some have not witnessed', async () => {
      const [, run] = await deep(5)
      for (const liar of [1, 2]) await run.witness(liar, 2, 0n)
      await run.witness(0, 2, bits(...range(5)))
      await pass()
      expect(names(await run.tick())).to.deep.equal(['PhaseBegan'])
      for (const site of [3, 4]) await run.witness(site, 2, bits(...range(5)))
      expect((await round(run)).included).to.equal(bits(...range(5)))
    })

    it('is void after that time, and the next round is deep too', async () => {
      const [, run] = await deep(6)
      for (const site of [0, 1, 2]) await run.witness(site, 2, bits(0, 1, 2, 3))
      await pass()
      await run.tick()
      await pass()
      const outcome = await run.tick()
      expect(names(outcome)).to.deep.equal(['RoundVoid', 'RoundOpened'])
      expect([event(outcome, 'RoundVoid').phase, await places(run)]).to.deep.equal([BigInt(PHASE.Witnessing), [6n]])
    })

    it('is void with too few contributions, and the next round is deep too', async () => {
      const [, run] = await begin(5)
      await comeToNothing(run, 1)
      await pass()
      expect(event(await run.tick(), 'RoundVoid').phase).to.equal(BigInt(PHASE.Contributing))
      expect(await places(run)).to.deep.equal([5n])
    })
  })

  describe('when rounds follow', () => {
    it('are ordinary after it closed', async () => {
      const [, run] = await deep(5)
      for (const site of [2, 3, 4]) await run.witness(site, 2, bits(...range(5)))
      await attestAll(run, 2)
      expect([(await run.view()).closedRounds, await places(run)]).to.deep.equal([1n, [3n]])
      expect([...(await run.view(2)).round.custodianPlaces]).to.deep.equal([5n])
    })

    it('are ordinary after it was refused', async () => {
      const [, run] = await deep(5)
      for (const site of [2, 3, 4]) await run.witness(site, 2, bits(...range(5)))
      await attestAll(run, 2, STATUS.refused)
      expect([(await round(run)).round, await places(run)]).to.deep.equal([3n, [3n]])
    })

    it('are ordinary after a pause', async () => {
      const [, run] = await begin(5)
      await comeToNothing(run, 1)
      for (const _ of [2, 3]) {
        await pass()
        await run.tick()
      }
      expect((await run.view()).state).to.equal(BigInt(STATE.Paused))
      for (const site of [0, 1, 2]) await run.send(site, 'ready')
      expect([(await round(run)).round, await places(run)]).to.deep.equal([4n, [3n]])
    })

    it('are ordinary after a void before the freeze', async () => {
      const [, run] = await begin(5)
      await pass()
      await run.tick()
      expect([(await round(run)).round, await places(run)]).to.deep.equal([2n, [3n]])
    })

    it('count nothing that was said in an older deep round of the same ring slot', async () => {
      const [, run] = await deep(5)
      for (const site of range(3)) await run.witness(site, 2, bits(...range(5)))
      await attestAll(run, 2)
      for (let number = 3; number <= 8; number++) await run.round(number, Number((await round(run)).leader))
      await comeToNothing(run, 9)
      await everybodyContributes(run, 10)
      expect([await places(run), [...(await round(run)).witnessed]]).to.deep.equal([[5n], [0n]])
      for (const site of [0, 1]) await run.witness(site, 10, bits(0, 1, 2))
      await run.witness(2, 10, bits(0, 1))
      await pass()
      await run.tick()
      expect((await round(run)).included).to.equal(bits(0, 1))
    })
  })

  describe('given slices', () => {
    it('counts each by itself', async () => {
      const [, run] = await deep(5, { slices: 2 })
      expect(await places(run)).to.deep.equal([5n, 5n])
      for (const site of [0, 1, 2]) await run.witness(site, 2, bits(...range(5)), 0)
      for (const site of [0, 3]) await run.witness(site, 2, bits(...range(5)), 1)
      for (const site of [1, 2]) await run.witness(site, 2, bits(0, 1, 2, 3), 1)
      expect((await round(run)).phase).to.equal(BigInt(PHASE.Witnessing))
      await run.witness(4, 2, bits(4), 1)
      expect((await round(run)).included).to.equal(bits(...range(5)))
    })

    it('is void when one is not heard', async () => {
      const [, run] = await deep(5, { slices: 2 })
      for (const site of range(3)) await run.witness(site, 2, bits(...range(5)), 0)
      for (const site of range(2)) await run.witness(site, 2, bits(...range(5)), 1)
      await pass()
      await run.tick()
      await pass()
      expect(event(await run.tick(), 'RoundVoid').phase).to.equal(BigInt(PHASE.Witnessing))
      expect(await places(run)).to.deep.equal([5n, 5n])
    })
  })

  describe('given few sites', () => {
    it('is like any other where all are custodians anyway', async () => {
      for (const n of [1, 2, 3]) {
        const [, run] = await deep(n, { quorum: 1 })
        expect(await places(run)).to.deep.equal([BigInt(n)])
        const [first, ...others] = range(Math.min(2, n)) as [number, ...number[]]
        for (const site of others) await run.witness(site, 2, bits(...range(n)))
        expect((await round(run)).phase).to.equal(BigInt(PHASE.Witnessing))
        expect(names(await run.witness(first, 2, bits(...range(n))))).to.deep.equal(['Witnessed', 'Frozen', 'PhaseBegan'])
      }
    })
  })
})
