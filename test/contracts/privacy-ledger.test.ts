import { expect } from 'chai'
import type { Contract } from 'ethers'
import { event, names, refused } from './support/expect.ts'
import { bits, digest, type RunDriver, read, rulesFor, World, ZERO } from './support/world.ts'

const FULL = 2n ** 31n - 1n
/** The first lane is the lowest. */
const word = (...lanes: readonly bigint[]): bigint => lanes.reduce((all, lane, i) => all | (lane << BigInt(32 * i)), 0n)
const all = (lane: bigint): bigint => word(...Array.from({ length: 8 }, () => lane))

describe('PrivacyLedger', () => {
  let w: World
  let privacy: Contract
  const charge = all(100n)
  const limit = all(350n)
  const [dataset, other] = [digest('dataset'), digest('another dataset')]

  beforeEach(async () => {
    w = await World.deploy(3)
    privacy = w.privacy
  })

  const by = (site: number, method: string, ...args: readonly unknown[]) => w.send(w.hospital(site).node, privacy, method, ...args)
  const refusedAs = (call: Promise<unknown>, error: string, args?: readonly unknown[]) => refused(call, privacy, `PrivacyLedger_${error}`, args)
  const publish = async (change = {}): Promise<number> => {
    await w.send(w.hospital(0).node, w.studies, 'publish', digest('protocol'), digest('cid'), rulesFor(3, change))
    return Number(await read(w.studies, 'studyCount'))
  }
  /** An accounted study with a run. */
  const open = async (cost = charge, most = limit): Promise<RunDriver> => {
    const study = await publish()
    await by(0, 'setPolicy', study, cost, most)
    for (const h of w.hospitals) await w.send(h.steward, w.studies, 'approve', study, digest('protocol'))
    await w.send(w.hospital(0).node, w.studies, 'publishEpoch', study, 0, digest('commitment'), digest('bundle'))
    return w.openRun(study)
  }

  describe('when a study gets its policy', () => {
    it('keeps its words', async () => {
      const study = await publish()
      expect(event(await by(0, 'setPolicy', study, charge, limit), 'PolicySet')).to.deep.equal({ study: 1n, site: 0n, charge, limit })
      expect(await read(privacy, 'policyOf', study)).to.deep.equal([charge, limit])
    })

    it('refuses other sites than the publisher, and unknown studies', async () => {
      const study = await publish()
      await refusedAs(by(1, 'setPolicy', study, charge, limit), 'NotPublisher', [study, 1])
      await refused(w.send(w.hospital(0).steward, privacy, 'setPolicy', study, charge, limit), w.sites, 'SiteRegistry_NotNode')
      await refused(by(0, 'setPolicy', 9, charge, limit), w.studies, 'StudyRegistry_UnknownStudy', [9])
    })

    it('refuses a second one, and one after an approval', async () => {
      const study = await publish()
      await w.send(w.hospital(1).steward, w.studies, 'approve', study, digest('protocol'))
      await refusedAs(by(0, 'setPolicy', study, charge, limit), 'TooLate', [study])
      const next = await publish()
      await by(0, 'setPolicy', next, charge, limit)
      await refusedAs(by(0, 'setPolicy', next, charge, limit), 'TooLate', [next])
    })

    it('refuses words that cannot work', async () => {
      const study = await publish()
      for (const [cost, most] of [
        [0n, limit],
        [word(1n, 1n, 1n, 0n, 1n, 1n, 1n, 1n), limit],
        [charge | (1n << 255n), limit],
        [charge, limit | (1n << 31n)],
        [charge, word(FULL, 350n, 350n, 350n, 350n, 350n, 350n, 350n)],
        [charge, all(99n)],
      ] as const)
        await refusedAs(by(0, 'setPolicy', study, cost, most), 'BadPolicy', [cost, most])
    })
  })

  describe('when a site is charged', () => {
    it('adds it up for its dataset until the limit is reached', async () => {
      const { run } = await open()
      for (const round of [1, 2, 3]) await by(1, 'charge', run, round, dataset)
      expect(await read(privacy, 'spentOf', 1, dataset)).to.equal(all(300n))
      await refusedAs(by(1, 'charge', run, 4, dataset), 'LimitReached', [1, dataset, all(300n), limit])
      await by(1, 'charge', run, 4, other)
      await by(2, 'charge', run, 4, dataset)
      expect([await read(privacy, 'spentOf', 1, other), await read(privacy, 'lastCharged', run, 1)]).to.deep.equal([charge, 4n])
    })

    it('tells what the dataset has spent', async () => {
      const { run } = await open()
      const outcome = await by(2, 'charge', run, 1, dataset)
      expect(event(outcome, 'Charged')).to.deep.equal({ run: 1n, round: 1n, site: 2n, dataset, spent: charge })
    })

    it('counts what other runs and studies took, each by its own limit', async () => {
      const [first, second] = [await open(), await open(all(200n), all(450n))]
      await by(0, 'charge', first.run, 1, dataset)
      await by(0, 'charge', second.run, 1, dataset)
      expect(await read(privacy, 'spentOf', 0, dataset)).to.equal(all(300n))
      await refusedAs(by(0, 'charge', first.run, 2, dataset), 'LimitReached')
      await refusedAs(by(0, 'charge', second.run, 2, dataset), 'LimitReached')
      const third = await open(all(10n), all(310n))
      await by(0, 'charge', third.run, 1, dataset)
    })

    it('is within the limit as long as one order is', async () => {
      const { run } = await open(word(1n, 1000n, 1n, 1n, 1n, 1n, 1n, 1n), word(0n, 3000n, 0n, 0n, 0n, 0n, 0n, 0n))
      for (const round of [1, 2, 3]) await by(0, 'charge', run, round, dataset)
      await refusedAs(by(0, 'charge', run, 4, dataset), 'LimitReached')
    })

    it('keeps full lanes full, and the others apart', async () => {
      const { run } = await open(word(1n, FULL, 1n, 1n, 1n, 1n, 1n, 1n), all(9n))
      for (const round of [1, 2]) await by(0, 'charge', run, round, dataset)
      expect(await read(privacy, 'spentOf', 0, dataset)).to.equal(word(2n, FULL, 2n, 2n, 2n, 2n, 2n, 2n))
    })

    it('refuses the same round again, and an earlier one', async () => {
      const { run } = await open()
      await by(0, 'charge', run, 2, dataset)
      for (const round of [0, 1, 2]) await refusedAs(by(0, 'charge', run, round, other), 'AlreadyCharged', [run, round, 0])
    })

    it('refuses studies without policy, datasets without name, unknown runs and strangers', async () => {
      const plain = await w.run()
      await refusedAs(by(0, 'charge', plain.run, 1, dataset), 'NoPolicy', [plain.study])
      const { run } = await open()
      await refusedAs(by(0, 'charge', run, 1, ZERO), 'ZeroDataset')
      await refused(by(0, 'charge', 9, 1, dataset), w.rounds, 'RoundCoordinator_UnknownRun', [9])
      await refused(w.send(w.hospital(0).steward, privacy, 'charge', run, 1, dataset), w.sites, 'SiteRegistry_NotNode')
    })
  })

  describe('when a site contributes to an accounted study', () => {
    it('refuses what was not charged in that round', async () => {
      const run = await open()
      await refused(run.contribute(0, 1), w.rounds, 'RoundCoordinator_NotCharged', [run.run, 1, 0])
      await by(0, 'charge', run.run, 1, dataset)
      expect(names(await run.contribute(0, 1))).to.deep.equal(['Contributed'])
      await by(1, 'charge', run.run, 2, dataset)
      await refused(run.contribute(1, 1), w.rounds, 'RoundCoordinator_NotCharged', [run.run, 1, 1])
    })

    it('plays whole rounds, and shows their epochs', async () => {
      const run = await open()
      for (const number of [1, 2]) {
        for (const site of [0, 1, 2]) await by(site, 'charge', run.run, number, dataset)
        await run.freeze(number, [0, 1, 2], [number - 1, number])
        await run.publish(number - 1, number)
        for (const site of [0, 1]) await run.attest(site, number)
      }
      const { round } = await run.view()
      expect([round.round, round.epoch, round.contributed]).to.deep.equal([3n, 0n, bits()])
    })

    it('costs nothing where a study has no policy', async () => {
      const plain = await w.run()
      expect(names(await plain.contribute(0, 1))).to.deep.equal(['Contributed'])
    })
  })

  describe('when words are made before they are written', () => {
    it('is told of runs by the coordinator alone', async () => {
      const { run, study } = await open()
      await refusedAs(by(0, 'begin', run, study), 'NotCoordinator', [await w.hospital(0).node.getAddress()])
    })

    it('changes nothing of what a dataset spends, nor of what it may spend', async () => {
      const { run } = await open()
      await by(0, 'charge', run, 1, dataset)
      expect(await read(privacy, 'isPrepared', 1, dataset)).to.equal(false)
      for (const site of [0, 1, 1]) expect(names(await by(site, 'prepare', dataset))).to.deep.equal([])
      expect([await read(privacy, 'spentOf', 0, dataset), await read(privacy, 'spentOf', 1, dataset)]).to.deep.equal([charge, 0n])
      expect([await read(privacy, 'isPrepared', 1, dataset), await read(privacy, 'isPrepared', 1, other)]).to.deep.equal([true, false])
      for (const round of [1, 2, 3]) expect(event(await by(1, 'charge', run, round, dataset), 'Charged')).to.include({ spent: charge * BigInt(round) })
      await by(1, 'prepare', dataset)
      await refusedAs(by(1, 'charge', run, 4, dataset), 'LimitReached', [1, dataset, all(300n), limit])
    })

    it('prepares no dataset without name, and none for strangers', async () => {
      await refusedAs(by(0, 'prepare', ZERO), 'ZeroDataset')
      await refused(w.send(w.hospital(0).steward, privacy, 'prepare', dataset), w.sites, 'SiteRegistry_NotNode')
    })
  })
})
