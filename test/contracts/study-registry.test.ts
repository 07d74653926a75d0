import { expect } from 'chai'
import { event, names, refused } from './support/expect.ts'
import { digest, ethers, helpers, type Rules, read, rulesFor, World, ZERO } from './support/world.ts'

const DIGEST = digest('protocol')

interface Study {
  readonly publisher: bigint
  readonly approved: bigint
  readonly rules: { readonly quorum: bigint; readonly limits: readonly { readonly seconds_: bigint; readonly blocks: bigint }[] }
  readonly epoch: { readonly epoch: bigint; readonly commitment: string; readonly members: bigint; readonly reported: boolean }
}

describe('StudyRegistry', () => {
  let w: World

  beforeEach(async () => {
    w = await World.deploy(4)
  })

  const publish = (change: Partial<Rules> = {}, by = w.hospital(0).node, protocol = DIGEST, cid = DIGEST) =>
    w.send(by, w.studies, 'publish', protocol, cid, rulesFor(4, change))
  const approve = (site: number, protocol = DIGEST) => w.send(w.hospital(site).steward, w.studies, 'approve', 1, protocol)
  const epoch = (site: number, number: number, commitment = digest('c'), bundle = digest('b')) =>
    w.send(w.hospital(site).node, w.studies, 'publishEpoch', 1, number, commitment, bundle)
  const study = async () => (await read(w.studies, 'study', 1)) as Study
  const suspend = async (site: number) => {
    await w.send(w.hospital(0).node, w.sites, 'propose', 1, site)
    const id = await read(w.sites, 'proposalCount')
    for (const voter of [0, 1, 2, 3].filter((v) => v !== site)) await w.send(w.hospital(voter).node, w.sites, 'vote', id, true)
  }

  describe('when a study is published', () => {
    it('keeps its digest and rules', async () => {
      expect(names(await publish())).to.deep.equal(['StudyPublished'])
      const s = await study()
      expect([s.publisher, s.approved, s.rules.quorum, s.epoch.commitment]).to.deep.equal([0n, 0n, 3n, ZERO])
      expect(await read(w.studies, 'studyCount')).to.equal(1n)
      expect(((await read(w.studies, 'rulesOf', 1)) as Study['rules']).limits.map((l) => [l.seconds_, l.blocks])).to.deep.equal(Array(5).fill([60n, 40n]))
    })

    it("refuses callers that are no active site's node", async () => {
      await refused(publish({}, w.hospital(0).steward), w.studies, 'StudyRegistry_NotActive')
      await suspend(3)
      await refused(publish({}, w.hospital(3).node), w.studies, 'StudyRegistry_NotActive')
    })

    it('refuses zero digests', async () => {
      await refused(publish({}, w.hospital(0).node, ZERO), w.studies, 'StudyRegistry_ZeroDigest')
      await refused(publish({}, w.hospital(0).node, DIGEST, ZERO), w.studies, 'StudyRegistry_ZeroDigest')
      await refused(publish({ arithmeticVersion: ZERO }), w.studies, 'StudyRegistry_ZeroDigest')
    })

    it('refuses grouped studies', async () => {
      await refused(publish({ mode: 2 }), w.studies, 'StudyRegistry_ModeNotOffered', [2])
    })

    it('takes masked studies of five sites and a quorum of more than two thirds, with a limit of Keying', async () => {
      const least = (minSites: number, quorum: number) => publish({ mode: 1, minSites, quorum })
      for (const [minSites, quorum] of [
        [4, 4],
        [5, 3],
        [6, 4],
        [100, 66],
      ] as const)
        await refused(least(minSites, quorum), w.studies, 'StudyRegistry_TooFewToMask', [quorum, minSites])
      for (const [minSites, quorum] of [
        [5, 4],
        [6, 5],
        [100, 67],
      ] as const)
        await least(minSites, quorum)
      const limits = Array.from({ length: 5 }, (_, i) => ({ seconds_: i === 0 ? 6 : 9, blocks: 7 }))
      await refused(publish({ mode: 1, minSites: 5, quorum: 4, limits }), w.studies, 'StudyRegistry_LimitTooShort', [0, 6, 7, 7])
    })

    it('refuses masked studies of more than a hundred sites', async () => {
      await refused(publish({ mode: 1, minSites: 101, quorum: 101 }), w.studies, 'StudyRegistry_TooManyToMask', [101, 100])
    })

    it('refuses numbers that cannot work', async () => {
      for (const [quorum, minSites] of [
        [0, 3],
        [4, 3],
        [3, 257],
      ])
        await refused(publish({ quorum, minSites } as Partial<Rules>), w.studies, 'StudyRegistry_BadQuorum', [quorum, minSites])
      await refused(publish({ maxRounds: 0 }), w.studies, 'StudyRegistry_NoRounds')
      await refused(publish({ wordBits: 48 }), w.studies, 'StudyRegistry_BadWordBits', [48])
      for (const slices of [0, 5]) await refused(publish({ slices }), w.studies, 'StudyRegistry_BadSlices', [slices, 4])
      await publish({ wordBits: 32, slices: 4 })
    })

    it("refuses limits below one second and block a site and three more, but Keying's of open studies", async () => {
      const limits = (phase: number, seconds_: number, blocks: number) =>
        Array.from({ length: 5 }, (_, i) => (i === phase ? { seconds_, blocks } : { seconds_: 9, blocks: 7 }))
      for (const phase of [1, 2, 3, 4]) {
        await refused(publish({ limits: limits(phase, 6, 7) }), w.studies, 'StudyRegistry_LimitTooShort', [phase, 6, 7, 7])
        await refused(publish({ limits: limits(phase, 7, 6) }), w.studies, 'StudyRegistry_LimitTooShort', [phase, 7, 6, 7])
      }
      await publish({ limits: limits(0, 0, 0) })
    })

    it('refuses a limit of Witnessing below three seconds and blocks a slice and three more, where there are several', async () => {
      const sliced = (slices: number, seconds_: number, blocks: number) => ({
        slices,
        limits: Array.from({ length: 5 }, (_, i) => (i === 2 ? { seconds_, blocks } : { seconds_: 9, blocks: 7 })),
      })
      await refused(publish(sliced(4, 14, 15)), w.studies, 'StudyRegistry_LimitTooShort', [2, 14, 15, 15])
      await refused(publish(sliced(4, 15, 14)), w.studies, 'StudyRegistry_LimitTooShort', [2, 15, 14, 15])
      await refused(publish(sliced(2, 9, 8)), w.studies, 'StudyRegistry_LimitTooShort', [2, 9, 8, 9])
      for (const [slices, least] of [
        [4, 15],
        [2, 9],
        [1, 7],
      ] as const)
        await publish(sliced(slices, least, least))
    })
  })

  describe('when stewards decide', () => {
    beforeEach(() => publish())

    it('approves exactly the digest, once', async () => {
      expect(names(await approve(1))).to.deep.equal(['StudyApproved'])
      expect((await study()).approved).to.equal(0b10n)
      await refused(approve(1), w.studies, 'StudyRegistry_AlreadyApproved', [1, 1])
      await refused(approve(2, digest('other')), w.studies, 'StudyRegistry_OtherDigest')
    })

    it('refuses nodes, suspended sites and unknown studies', async () => {
      await refused(w.send(w.hospital(1).node, w.studies, 'approve', 1, DIGEST), w.studies, 'StudyRegistry_NotSteward')
      await suspend(3)
      await refused(approve(3), w.studies, 'StudyRegistry_NotSteward')
      for (const id of [0, 2]) await refused(w.send(w.hospital(1).steward, w.studies, 'approve', id, DIGEST), w.studies, 'StudyRegistry_UnknownStudy', [id])
    })

    it('withdraws the own site at once, and may approve again', async () => {
      const withdraw = () => w.send(w.hospital(1).steward, w.studies, 'withdrawSite', 1)
      await refused(withdraw(), w.studies, 'StudyRegistry_NotApproved', [1, 1])
      await approve(1)
      expect(names(await withdraw())).to.deep.equal(['StudyWithdrawn'])
      expect(await read(w.studies, 'approvals', 1)).to.equal(0n)
      await approve(1)
      expect(await read(w.studies, 'approvals', 1)).to.equal(0b10n)
    })

    it("counts a suspended site's approval as none while it lasts", async () => {
      for (const site of [0, 3]) await approve(site)
      await suspend(3)
      expect([await read(w.studies, 'membersNow', 1), await read(w.studies, 'approvals', 1)]).to.deep.equal([0b0001n, 0b1001n])
    })
  })

  describe('when an epoch is published', () => {
    beforeEach(async () => {
      await publish()
    })

    it('takes epoch 0 from the publishing site, with a member at least', async () => {
      await refused(epoch(0, 0), w.studies, 'StudyRegistry_NoMembers', [1])
      for (const site of [0, 1, 2]) await approve(site)
      await refused(epoch(1, 0), w.studies, 'StudyRegistry_NotPublisher', [1, 1])
      const args = event(await epoch(0, 0), 'EpochPublished')
      expect([args.epoch, args.members]).to.deep.equal([0n, 0b0111n])
      expect(await read(w.studies, 'rotaNow', 1)).to.deep.equal([0b0111n, 0n])
    })

    it('refuses zero digests, and numbers that are not next', async () => {
      await approve(0)
      await refused(epoch(0, 0, ZERO), w.studies, 'StudyRegistry_ZeroDigest')
      await refused(epoch(0, 0, digest('c'), ZERO), w.studies, 'StudyRegistry_ZeroDigest')
      await refused(epoch(0, 1), w.studies, 'StudyRegistry_NotNextEpoch', [1, 1, 0])
      await epoch(0, 0)
      await refused(epoch(0, 0), w.studies, 'StudyRegistry_NotNextEpoch', [1, 0, 1])
    })

    it('takes the next from any member in its turn once membership changed; the first counts', async () => {
      for (const site of [0, 1]) await approve(site)
      await epoch(0, 0)
      await refused(epoch(1, 1), w.studies, 'StudyRegistry_EpochNotDue', [1, 1])
      await refused(epoch(2, 1), w.studies, 'StudyRegistry_NotApproved', [1, 2])
      await approve(2)
      expect(await read(w.studies, 'rotaNow', 1)).to.deep.equal([0b0011n, 0n])
      // Site 1 never drew one, site 0 did, site 2 is new.
      await refused(epoch(2, 1), w.studies, 'StudyRegistry_NotItsTurn', [1, 1, 2, 2])
      await helpers.time.increase(4)
      await epoch(2, 1)
      await refused(epoch(1, 1), w.studies, 'StudyRegistry_NotNextEpoch', [1, 1, 2])
      expect(await read(w.studies, 'rotaNow', 1)).to.deep.equal([0b0111n, 1n])
      expect((await study()).epoch.members).to.equal(0b0111n)
    })

    it('takes the next when a member reported the newest', async () => {
      for (const site of [0, 1]) await approve(site)
      await epoch(0, 0)
      const report = (site: number, number: number) => w.send(w.hospital(site).node, w.studies, 'reportEpoch', 1, number)
      await refused(report(1, 1), w.studies, 'StudyRegistry_NotNewestEpoch', [1, 1])
      await refused(report(2, 0), w.studies, 'StudyRegistry_NotApproved', [1, 2])
      expect(names(await report(1, 0))).to.deep.equal(['EpochReported'])
      expect((await study()).epoch.reported).to.equal(true)
      await refused(report(0, 0), w.studies, 'StudyRegistry_AlreadyReported', [1, 0])
      await epoch(1, 1)
      expect((await study()).epoch.reported).to.equal(false)
    })

    it('gives turns by who drew longest ago, two seconds each, from the last change on', async () => {
      const start = async () => Number((await ethers.provider.getBlock('latest'))?.timestamp)
      const at = (time: number) => helpers.time.setNextBlockTimestamp(time)
      const report = (site: number, number: number) => w.send(w.hospital(site).node, w.studies, 'reportEpoch', 1, number)
      for (const site of [0, 1, 2, 3]) await approve(site)
      await epoch(0, 0)
      await helpers.time.increase(100)
      await report(2, 0)
      const since = await start()
      await at(since + 5)
      await refused(epoch(0, 1), w.studies, 'StudyRegistry_NotItsTurn', [1, 1, 0, 3])
      await at(since + 6)
      await epoch(0, 1)
      // Whoever drew two in a row is last again; the next in turn need not wait.
      await report(2, 1)
      await refused(epoch(0, 2), w.studies, 'StudyRegistry_NotItsTurn', [1, 2, 0, 3])
      await epoch(1, 2)
      await report(2, 2)
      await epoch(2, 3)
      // A change begins the turns anew.
      await w.send(w.hospital(3).steward, w.studies, 'withdrawSite', 1)
      const changed = await start()
      await at(changed + 1)
      await refused(epoch(1, 4), w.studies, 'StudyRegistry_NotItsTurn', [1, 4, 1, 1])
      await at(changed + 2)
      await epoch(1, 4)
    })

    it('asks for no turns when a site is suspended', async () => {
      for (const site of [0, 1, 2, 3]) await approve(site)
      await epoch(0, 0)
      await helpers.time.increase(10)
      await suspend(3)
      await epoch(0, 1)
    })

    it('shows each epoch, and no rota before the first', async () => {
      expect(await read(w.studies, 'rotaNow', 1)).to.deep.equal([0n, 0n])
      await refused(read(w.studies, 'epochOf', 1, 0), w.studies, 'StudyRegistry_NotNextEpoch', [1, 0, 0])
      await approve(0)
      await epoch(0, 0)
      await approve(1)
      await epoch(0, 1, digest('c1'))
      const commitments = await Promise.all([0, 1].map(async (e) => ((await read(w.studies, 'epochOf', 1, e)) as { commitment: string }).commitment))
      expect(commitments).to.deep.equal([digest('c'), digest('c1')])
    })

    it('refuses a report before epoch 0', async () => {
      await refused(w.send(w.hospital(0).node, w.studies, 'reportEpoch', 1, 0), w.studies, 'StudyRegistry_NotNewestEpoch', [1, 0])
    })
  })
})
