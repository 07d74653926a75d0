import { expect } from 'chai'
import { names, refused } from './support/expect.ts'
import { bareSite, fullRegistry } from './support/full-registry.ts'
import { connect, details, digest, ethers, type Hospital, helpers, NO_SITE, read, World } from './support/world.ts'

const STATE = { Active: 2n, Suspended: 3n, Removed: 4n } as const
const KIND = { Admit: 0, Suspend: 1, Reinstate: 2, Remove: 3 } as const
const DAY = 86_400

describe('SiteRegistry', () => {
  let w: World
  let candidate: Hospital

  beforeEach(async () => {
    w = await World.deploy(3)
    const [node, steward, recovery] = w.spare
    if (node === undefined || steward === undefined || recovery === undefined) throw new Error('too few accounts')
    candidate = { id: 3, node, steward, recovery }
  })

  const stateOf = async (id: number) => ((await read(w.sites, 'site', id)) as { state: bigint }).state
  const lastProposal = async () => Number(await read(w.sites, 'proposalCount'))
  const vote = (site: number, proposal: number, support = true) => w.send(w.hospital(site).node, w.sites, 'vote', proposal, support)
  const request = async (change: object = {}) => w.send(candidate.node, w.sites, 'requestAdmission', { ...(await details(candidate, 'newcomer')), ...change })
  const propose = async (kind: number, site: number, by = 0) => {
    await w.send(w.hospital(by).steward, w.sites, 'propose', kind, site)
    return lastProposal()
  }
  const carry = async (kind: number, site: number) => {
    const id = await propose(kind, site)
    await vote(0, id)
    return vote(1, id)
  }

  describe('given founders', () => {
    it('makes them active in order', async () => {
      expect(await read(w.sites, 'activeSites')).to.equal(0b111n)
      const all = (await read(w.sites, 'sites')) as { id: bigint; details: { name: string; multiaddrs: string[] } }[]
      expect(all.map((s) => [s.id, s.details.name])).to.deep.equal([
        [0n, 'hospital-0'],
        [1n, 'hospital-1'],
        [2n, 'hospital-2'],
      ])
      expect(await read(w.sites, 'siteCount')).to.equal(3n)
      expect(Number(await read(w.sites, 'deployedAtBlock'))).to.be.greaterThan(0)
    })

    it('tells site and role of an account', async () => {
      const h = w.hospital(1)
      expect(await read(w.sites, 'siteOf', await h.steward.getAddress())).to.deep.equal([1n, 2n])
      expect(await read(w.sites, 'siteOf', await candidate.node.getAddress())).to.deep.equal([BigInt(NO_SITE), 0n])
      expect(await read(w.sites, 'nodeSite', await h.node.getAddress())).to.equal(1n)
      await refused(read(w.sites, 'nodeSite', await h.steward.getAddress()), w.sites, 'SiteRegistry_NotNode')
    })

    it('refuses none, shared accounts and bad details', async () => {
      const { sites } = w
      const one = await details(w.hospital(0), 'one')
      const deploy = (founders: unknown[]) => ethers.deployContract('SiteRegistry', [founders])
      await refused(deploy([]), sites, 'SiteRegistry_BadFounderCount', [0])
      await refused(deploy([one, one]), sites, 'SiteRegistry_AccountTaken', [one.node])
      await refused(deploy([{ ...one, steward: ethers.ZeroAddress }]), sites, 'SiteRegistry_AccountTaken', [ethers.ZeroAddress])
      const bad = [{ name: '' }, { name: 'n'.repeat(65) }, { peerId: '' }, { peerId: 'p'.repeat(129) }, { encryptionKey: ethers.ZeroHash }]
      for (const change of [...bad, { multiaddrs: Array(9).fill('/a') }, { multiaddrs: ['a'.repeat(257)] }]) {
        await refused(deploy([{ ...one, ...change }]), sites, 'SiteRegistry_BadDetails')
      }
    })

    it('refuses sites that it does not have', async () => {
      await refused(read(w.sites, 'site', 3), w.sites, 'SiteRegistry_UnknownSite', [3])
      await refused(read(w.sites, 'recoveryOf', 9), w.sites, 'SiteRegistry_UnknownSite', [9])
    })
  })

  describe('when a candidate asks for admission', () => {
    it('opens a proposal with its details', async () => {
      const outcome = await request()
      expect(names(outcome)).to.deep.equal(['SiteProposed'])
      const p = (await read(w.sites, 'proposal', 1)) as { kind: bigint; state: bigint; subject: bigint; candidate: { name: string } }
      expect([p.kind, p.state, p.subject, p.candidate.name]).to.deep.equal([0n, 0n, BigInt(NO_SITE), 'newcomer'])
    })

    it('admits it at more than half of the votes', async () => {
      await request()
      await vote(0, 1)
      const outcome = await vote(2, 1)
      expect(names(outcome)).to.deep.equal(['SiteVoted', 'ProposalClosed', 'SiteChanged'])
      expect(await read(w.sites, 'activeSites')).to.equal(0b1111n)
      expect(await read(w.sites, 'nodeSite', await candidate.node.getAddress())).to.equal(3n)
    })

    it('refuses others, bad details, taken accounts and a second request', async () => {
      const asked = await details(candidate, 'newcomer')
      await refused(w.send(candidate.steward, w.sites, 'requestAdmission', asked), w.sites, 'SiteRegistry_NotCandidate')
      await refused(request({ name: '' }), w.sites, 'SiteRegistry_BadDetails')
      await refused(request({ steward: asked.node }), w.sites, 'SiteRegistry_AccountTaken', [asked.node])
      await refused(request({ steward: ethers.ZeroAddress }), w.sites, 'SiteRegistry_AccountTaken')
      await refused(request({ recovery: await w.hospital(0).steward.getAddress() }), w.sites, 'SiteRegistry_AccountTaken')
      await request()
      await refused(request(), w.sites, 'SiteRegistry_RequestOpen', [1])
    })

    it('lets it ask again after a rejection or when its time is over', async () => {
      await request()
      await vote(0, 1, false)
      expect(names(await vote(1, 1, false))).to.deep.equal(['SiteVoted', 'ProposalClosed'])
      await request()
      await helpers.time.increase(14 * DAY)
      expect(((await read(w.sites, 'proposal', 2)) as { state: bigint }).state).to.equal(3n)
      await request()
      expect(await lastProposal()).to.equal(3)
    })

    it('refuses a vote that would admit an account taken meanwhile', async () => {
      await request()
      await w.send(w.hospital(2).steward, w.sites, 'rotateNode', 2, await candidate.steward.getAddress())
      await vote(0, 1)
      await refused(vote(1, 1), w.sites, 'SiteRegistry_AccountTaken')
    })

    it('refuses the 257th site', async () => {
      const full = await fullRegistry(w.spare.slice(3, 6))
      await full.fill(w.spare.slice(6, 9))
      expect(await read(full.sites, 'activeSites')).to.equal(2n ** 256n - 1n)
      await refused(full.admit([bareSite(256)]), w.sites, 'SiteRegistry_Full')
    })
  })

  describe('when a member votes', () => {
    it('refuses strangers, unknown and closed proposals, and a second vote', async () => {
      await request()
      await refused(w.send(candidate.node, w.sites, 'vote', 1, true), w.sites, 'SiteRegistry_NotActive')
      await refused(w.send(w.hospital(0).recovery, w.sites, 'vote', 1, true), w.sites, 'SiteRegistry_NotActive')
      await refused(vote(0, 0), w.sites, 'SiteRegistry_UnknownProposal', [0])
      await refused(vote(0, 2), w.sites, 'SiteRegistry_UnknownProposal', [2])
      await vote(0, 1)
      await refused(w.send(w.hospital(0).steward, w.sites, 'vote', 1, false), w.sites, 'SiteRegistry_AlreadyVoted', [1, 0])
      await vote(1, 1)
      await refused(vote(2, 1), w.sites, 'SiteRegistry_ProposalClosed', [1])
    })

    it('refuses votes on a proposal whose time is over', async () => {
      await request()
      await helpers.time.increase(14 * DAY)
      await refused(vote(0, 1), w.sites, 'SiteRegistry_ProposalClosed', [1])
    })

    it('does not count votes of sites that are no longer active', async () => {
      await request()
      await vote(2, 1)
      await carry(KIND.Suspend, 2)
      await vote(0, 1)
      expect(((await read(w.sites, 'proposal', 1)) as { state: bigint }).state).to.equal(0n)
      await refused(vote(2, 1), w.sites, 'SiteRegistry_NotActive')
      await vote(1, 1)
      expect(await stateOf(3)).to.equal(STATE.Active)
    })
  })

  describe('when members vote on a site', () => {
    it('suspends, reinstates and removes it', async () => {
      await carry(KIND.Suspend, 2)
      expect([await stateOf(2), await read(w.sites, 'activeSites')]).to.deep.equal([STATE.Suspended, 0b011n])
      await carry(KIND.Reinstate, 2)
      expect([await stateOf(2), await read(w.sites, 'activeSites')]).to.deep.equal([STATE.Active, 0b111n])
      await carry(KIND.Remove, 2)
      expect([await stateOf(2), await read(w.sites, 'activeSites')]).to.deep.equal([STATE.Removed, 0b011n])
    })

    it('removes a suspended one', async () => {
      await carry(KIND.Suspend, 2)
      await carry(KIND.Remove, 2)
      expect(await stateOf(2)).to.equal(STATE.Removed)
    })

    it('refuses what its state does not allow, then and at the end of the vote', async () => {
      await refused(propose(KIND.Admit, 2), w.sites, 'SiteRegistry_AdmissionIsRequested')
      await refused(propose(KIND.Reinstate, 2), w.sites, 'SiteRegistry_WrongState', [2, 2])
      await refused(propose(KIND.Suspend, 7), w.sites, 'SiteRegistry_UnknownSite', [7])
      await refused(w.send(candidate.node, w.sites, 'propose', KIND.Suspend, 2), w.sites, 'SiteRegistry_NotActive')
      const [first, second] = [await propose(KIND.Suspend, 2), await propose(KIND.Suspend, 2, 1)]
      await vote(0, second)
      await vote(0, first)
      await vote(1, first)
      await refused(vote(1, second), w.sites, 'SiteRegistry_WrongState', [2, 3])
      await refused(propose(KIND.Suspend, 2), w.sites, 'SiteRegistry_WrongState', [2, 3])
    })

    it('keeps the last active one', async () => {
      const alone = await World.deploy(1)
      await refused(alone.send(alone.hospital(0).node, alone.sites, 'propose', KIND.Remove, 0), alone.sites, 'SiteRegistry_LastSite', [0])
    })
  })

  describe('when a site resigns', () => {
    const resign = (site: number, from = w.hospital(site).steward) => w.send(from, w.sites, 'resign', site)

    it('is removed at once and for good', async () => {
      const outcome = await resign(2)
      expect(outcome.events).to.deep.equal([{ name: 'SiteChanged', args: { site: 2n, state: STATE.Removed } }])
      expect([await stateOf(2), await read(w.sites, 'activeSites')]).to.deep.equal([STATE.Removed, 0b011n])
      await refused(resign(2), w.sites, 'SiteRegistry_WrongState', [2, STATE.Removed])
      await refused(propose(KIND.Reinstate, 2), w.sites, 'SiteRegistry_WrongState', [2, STATE.Removed])
      await refused(vote(2, 1), w.sites, 'SiteRegistry_NotActive')
    })

    it('may be suspended', async () => {
      await carry(KIND.Suspend, 2)
      await resign(2)
      expect(await stateOf(2)).to.equal(STATE.Removed)
    })

    it('leaves open votes to those that stay', async () => {
      const removal = await propose(KIND.Remove, 2)
      await request()
      await vote(2, 2)
      await resign(2)
      await vote(0, 2)
      expect(((await read(w.sites, 'proposal', 2)) as { state: bigint }).state).to.equal(0n)
      await vote(1, 2)
      expect(await stateOf(3)).to.equal(STATE.Active)
      await vote(0, removal)
      await refused(vote(1, removal), w.sites, 'SiteRegistry_WrongState', [2, STATE.Removed])
    })

    it('refuses everybody but the steward of that site, and sites that it does not have', async () => {
      const { node, recovery } = w.hospital(2)
      for (const from of [node, recovery, w.hospital(1).steward, candidate.node])
        await refused(resign(2, from), w.sites, 'SiteRegistry_WrongAccount', [2, await from.getAddress()])
      await refused(resign(7, candidate.steward), w.sites, 'SiteRegistry_UnknownSite', [7])
    })

    it('keeps the last active one', async () => {
      await carry(KIND.Suspend, 2)
      await resign(1)
      await refused(resign(0), w.sites, 'SiteRegistry_LastSite', [0])
      await resign(2)
    })
  })

  describe('when accounts change', () => {
    it('replaces the node by node or steward, at once', async () => {
      const h = w.hospital(0)
      const [a, b] = [await candidate.node.getAddress(), await candidate.steward.getAddress()]
      expect(names(await w.send(h.node, w.sites, 'rotateNode', 0, a))).to.deep.equal(['AccountReplaced', 'SiteChanged'])
      await refused(w.send(h.node, w.sites, 'rotateNode', 0, b), w.sites, 'SiteRegistry_WrongAccount')
      await w.send(h.steward, w.sites, 'rotateNode', 0, b)
      expect(await read(w.sites, 'nodeSite', b)).to.equal(0n)
      await refused(read(w.sites, 'nodeSite', a), w.sites, 'SiteRegistry_NotNode')
      await refused(w.send(h.steward, w.sites, 'rotateNode', 0, await h.steward.getAddress()), w.sites, 'SiteRegistry_AccountTaken')
    })

    it('replaces the steward by the steward alone', async () => {
      const h = w.hospital(0)
      const a = await candidate.steward.getAddress()
      await refused(w.send(h.node, w.sites, 'rotateSteward', 0, a), w.sites, 'SiteRegistry_WrongAccount')
      await w.send(h.steward, w.sites, 'rotateSteward', 0, a)
      expect(await read(w.sites, 'siteOf', a)).to.deep.equal([0n, 2n])
    })

    it('replaces contact by node or steward', async () => {
      const h = w.hospital(0)
      for (const from of [h.node, h.steward]) await w.send(from, w.sites, 'setContact', 0, 'other', digest('other'), ['/x', '/y'])
      const { details: d } = (await read(w.sites, 'site', 0)) as { details: { peerId: string; multiaddrs: string[] } }
      expect([d.peerId, [...d.multiaddrs]]).to.deep.equal(['other', ['/x', '/y']])
      await refused(w.send(h.recovery, w.sites, 'setContact', 0, 'x', digest('x'), []), w.sites, 'SiteRegistry_WrongAccount')
      await refused(w.send(h.node, w.sites, 'setContact', 0, '', digest('x'), []), w.sites, 'SiteRegistry_BadDetails')
    })
  })

  describe('when the recovery account recovers', () => {
    const start = async (from = w.hospital(0).recovery) => {
      const d = await details(candidate, 'x')
      return connect(w.sites, from).getFunction('startRecovery').send(0, d.node, d.steward, d.recovery)
    }

    it('replaces all three after 48 hours', async () => {
      await start()
      await refused(w.send(candidate.node, w.sites, 'finishRecovery', 0), w.sites, 'SiteRegistry_TooEarly')
      await helpers.time.increase(2 * DAY)
      const outcome = await w.send(candidate.node, w.sites, 'finishRecovery', 0)
      expect(names(outcome)).to.deep.equal(['AccountReplaced', 'AccountReplaced', 'AccountReplaced', 'SiteChanged'])
      expect(await read(w.sites, 'siteOf', await candidate.recovery.getAddress())).to.deep.equal([0n, 3n])
      await refused(read(w.sites, 'nodeSite', await w.hospital(0).node.getAddress()), w.sites, 'SiteRegistry_NotNode')
      await refused(w.send(candidate.node, w.sites, 'finishRecovery', 0), w.sites, 'SiteRegistry_NoRecovery')
    })

    it("lets an account that stays be named again, and no other site's", async () => {
      const h = w.hospital(0)
      const [node, steward, other] = [await h.node.getAddress(), await candidate.steward.getAddress(), await w.hospital(1).node.getAddress()]
      await w.send(h.recovery, w.sites, 'startRecovery', 0, other, steward, await h.recovery.getAddress())
      await helpers.time.increase(2 * DAY)
      await refused(w.send(h.node, w.sites, 'finishRecovery', 0), w.sites, 'SiteRegistry_AccountTaken', [other])
      await w.send(h.recovery, w.sites, 'startRecovery', 0, node, steward, await h.recovery.getAddress())
      await helpers.time.increase(2 * DAY)
      await w.send(h.node, w.sites, 'finishRecovery', 0)
      expect(await read(w.sites, 'nodeSite', node)).to.equal(0n)
    })

    it('is cancelled by the steward', async () => {
      await refused(w.send(w.hospital(0).steward, w.sites, 'cancelRecovery', 0), w.sites, 'SiteRegistry_NoRecovery')
      await start()
      expect(((await read(w.sites, 'recoveryOf', 0)) as { readyAt: bigint }).readyAt).to.be.greaterThan(0n)
      await refused(w.send(w.hospital(0).recovery, w.sites, 'cancelRecovery', 0), w.sites, 'SiteRegistry_WrongAccount')
      await w.send(w.hospital(0).steward, w.sites, 'cancelRecovery', 0)
      await helpers.time.increase(2 * DAY)
      await refused(w.send(candidate.node, w.sites, 'finishRecovery', 0), w.sites, 'SiteRegistry_NoRecovery')
    })

    it('refuses others', async () => {
      await refused(start(w.hospital(0).steward), w.sites, 'SiteRegistry_WrongAccount')
    })
  })
})
