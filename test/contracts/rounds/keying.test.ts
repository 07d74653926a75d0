import { expect } from 'chai'
import { event, names, refused } from '../support/expect.ts'
import { bits, digest, ethers, heldDeals, helpers, NO_SITE, PHASE, pass, type RunDriver, STATE, STATUS, World, ZERO } from '../support/world.ts'

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
      const outcome = await run.key(2, 1, bits(0, 1, 5))
      expect(names(outcome)).to.deep.equal(['Keyed'])
      const told = {
        run: 1n,
        round: 1n,
        site: 2n,
        dealDigest: digest('deal 1 2'),
        dealCid: digest('deal cid 1 2'),
        holds: bits(0, 1, 5),
        heldDeals: heldDeals(2, 1, bits(0, 1, 5)),
      }
      expect(event(outcome, 'Keyed')).to.deep.equal(told)
      expect((told.heldDeals.length - 2) / 2).to.equal(3 * 20 + 2 * 32)
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

    it('refuses zero digests, shares of strangers and its own, and names of fewer or more deals than it holds', async () => {
      await refusedAs(run.send(0, 'key', 1, ZERO, digest('cid'), 0, '0x'), 'ZeroDigest')
      await refusedAs(run.send(0, 'key', 1, digest('deal'), ZERO, 0, '0x'), 'ZeroDigest')
      await refusedAs(run.key(1, 1, bits(0, 6, 200)), 'NoSuchDeal', [1, 1, bits(6, 200)])
      await refusedAs(run.key(1, 1, bits(0, 1, 2, 6)), 'NoSuchDeal', [1, 1, bits(1, 6)])
      for (const bytes of [0, 59, 61, 80])
        await refusedAs(run.send(0, 'key', 1, digest('deal'), digest('cid'), bits(1, 2, 5), `0x${'00'.repeat(bytes)}`), 'WrongHeldDeals', [1, 1, 60, bytes])
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

  describe('when those with keys hold different deals', () => {
    const keying = { run: 1n, round: 1n, phase: BigInt(PHASE.Keying), attempt: 0n }
    const contributing = { ...keying, phase: BigInt(PHASE.Contributing) }
    /** Site 1 does not hold what site 4 dealt. */
    const differ = async (number = 1, from: readonly number[] = all) => {
      for (const site of from.slice(0, -1)) await run.key(site, number, run.allBut(site, ...(site === 1 ? [4] : [])))
      return run.key(from.at(-1) as number, number)
    }
    const stands = async (number?: number) => {
      const r = (await run.view(number)).round
      return [Number(r.phase), r.justifying, r.justified]
    }

    it('has them justify in a limit of its own', async () => {
      await pass(2)
      const outcome = await differ()
      expect(names(outcome)).to.deep.equal(['Keyed', 'PhaseBegan'])
      expect(event(outcome, 'PhaseBegan')).to.deep.equal(keying)
      const r = await round()
      expect([r.phase, r.keyed, r.awaited]).to.deep.equal([BigInt(PHASE.Keying), bits(...all), bits(...all)])
      expect(await stands()).to.deep.equal([PHASE.Keying, true, 0n])
      expect(r.sinceBlock).to.equal(BigInt(outcome.receipt.blockNumber))
      await pass(2)
      expect(names(await run.tick())).to.deep.equal([])
    })

    it('has them justify where the deal that one holds is not the one that was keyed with', async () => {
      for (const site of [0, 1, 2, 3, 4]) await run.key(site, 1)
      expect(names(await run.key(5, 1, run.allBut(5), bits(0)))).to.deep.equal(['Keyed', 'PhaseBegan'])
      expect(await stands()).to.deep.equal([PHASE.Keying, true, 0n])
    })

    it('has them justify where all hold a deal that its dealer did not key with', async () => {
      for (const site of [0, 1, 2, 3, 4]) await run.key(site, 1, run.allBut(site), bits(5))
      await run.key(5, 1)
      expect(await stands()).to.deep.equal([PHASE.Keying, true, 0n])
    })

    it('has them justify where the first is another, and the rest say the same', async () => {
      await run.key(0, 1, run.allBut(0, 3))
      for (const site of [1, 2, 3, 4, 5]) await run.key(site, 1)
      expect(await stands()).to.deep.equal([PHASE.Keying, true, 0n])
    })

    it('has nobody justify where they lack the same deal, of a site without keys', async () => {
      for (const site of [0, 1, 2, 3]) await run.key(site, 1, run.allBut(site, 5))
      await run.abstain(5, 1)
      expect(event(await run.key(4, 1, run.allBut(4, 5)), 'PhaseBegan')).to.deep.equal(contributing)
      expect(await stands()).to.deep.equal([PHASE.Contributing, false, 0n])
    })

    it('has nobody justify where they hold other secrets of the same deals', async () => {
      for (const site of [0, 1, 2, 3, 4]) await run.key(site, 1)
      const hidden = heldDeals(5, 1, run.allBut(5)).replaceAll('ab'.repeat(32), 'cd'.repeat(32))
      const outcome = await run.send(5, 'key', 1, digest('deal 1 5'), digest('deal cid 1 5'), run.allBut(5), hidden)
      expect(event(outcome, 'PhaseBegan')).to.deep.equal(contributing)
    })

    it('tells what each shows, and goes on with the last', async () => {
      await differ()
      for (const site of [1, 2, 3, 4, 5]) {
        const outcome = await run.justify(site, 1, `0x${'5a'.repeat(site)}`)
        expect(names(outcome)).to.deep.equal(['Justified'])
        expect(event(outcome, 'Justified')).to.deep.equal({ run: 1n, round: 1n, site: BigInt(site), justification: `0x${'5a'.repeat(site)}` })
      }
      expect(await stands()).to.deep.equal([PHASE.Keying, true, bits(1, 2, 3, 4, 5)])
      const outcome = await run.justify(0, 1)
      expect(names(outcome)).to.deep.equal(['Justified', 'PhaseBegan'])
      expect(event(outcome, 'PhaseBegan')).to.deep.equal(contributing)
      expect(await stands()).to.deep.equal([PHASE.Contributing, false, bits(...all)])
      await run.freeze(1, all, [0, 1])
      await run.publish(0, 1)
      expect(await stands(), 'it stays known').to.deep.equal([PHASE.Attesting, false, bits(...all)])
    })

    it('begins at the limit, for whoever keyed', async () => {
      for (const site of [0, 1, 2, 3, 4]) await run.key(site, 1, run.allBut(site, ...(site === 1 ? [5] : [])))
      await pass()
      const outcome = await run.tick()
      expect(names(outcome)).to.deep.equal(['PhaseBegan'])
      expect(event(outcome, 'PhaseBegan')).to.deep.equal(keying)
      await refusedAs(run.key(5, 1), 'Justifying', [1, 1])
      await refusedAs(run.justify(5, 1), 'NotKeyed', [1, 1, 5])
      for (const site of [0, 1, 2, 3]) await run.justify(site, 1)
      expect(names(await run.justify(4, 1))).to.deep.equal(['Justified', 'PhaseBegan'])
      const r = await round()
      expect([r.keyed, r.awaited, r.justified]).to.deep.equal([bits(0, 1, 2, 3, 4), bits(0, 1, 2, 3, 4), bits(0, 1, 2, 3, 4)])
    })

    it('makes the step of the limit before what is shown, and then takes it', async () => {
      for (const site of [0, 1, 2, 3, 4]) await run.key(site, 1, run.allBut(site, ...(site === 1 ? [4] : [])))
      await pass()
      await refusedAs(run.key(5, 1), 'Justifying', [1, 1])
      expect(names(await run.justify(0, 1)), 'both').to.deep.equal(['PhaseBegan', 'Justified'])
      expect(await stands()).to.deep.equal([PHASE.Keying, true, bits(0)])
      await pass()
      await refusedAs(run.justify(1, 1), 'NotCurrentRound', [1, 1, 2])
    })

    it('goes on at the limit without those who show nothing, as if they had abstained', async () => {
      await differ()
      for (const site of [0, 1, 3, 4, 5]) await run.justify(site, 1)
      expect((await round()).abstained).to.equal(0n)
      await pass()
      const outcome = await run.tick()
      expect(names(outcome), 'no event of theirs').to.deep.equal(['PhaseBegan'])
      expect(event(outcome, 'PhaseBegan')).to.deep.equal(contributing)
      expect(await stands()).to.deep.equal([PHASE.Contributing, false, bits(0, 1, 3, 4, 5)])
      const r = await round()
      expect([r.keyed, r.awaited, r.abstained]).to.deep.equal([bits(...all), bits(0, 1, 3, 4, 5), bits(2)])
      for (const call of [run.contribute(2, 1), run.send(2, 'extend', 1), run.abstain(2, 1)]) await refusedAs(call, 'AlreadyAbstained', [1, 1, 2])
      for (const site of [0, 1, 3, 4]) await run.contribute(site, 1)
      expect(names(await run.contribute(5, 1))).to.deep.equal(['Contributed', 'PhaseBegan'])
      for (const site of [0, 1]) await run.witness(site, 1, bits(0, 1, 3, 4, 5))
      await run.publish(0, 1)
      for (const site of [0, 1, 3]) await run.attest(site, 1)
      expect((await round()).awaited, 'nor in the next').to.equal(bits(0, 1, 3, 4, 5))
    })

    it('is void at the limit with fewer than enough that showed what they had', async () => {
      await differ()
      for (const site of [0, 1, 4, 5]) await run.justify(site, 1)
      await pass()
      const outcome = await run.tick()
      expect(names(outcome)).to.deep.equal(['RoundVoid', 'RoundOpened'])
      expect(event(outcome, 'RoundVoid').phase).to.equal(BigInt(PHASE.Keying))
      expect((await round()).awaited, 'who showed').to.equal(bits(0, 1, 4, 5))
      const r = (await run.view(1)).round
      expect([Number(r.phase), r.awaited, r.abstained, r.justified]).to.deep.equal([PHASE.Keying, bits(0, 1, 4, 5), bits(2, 3), bits(0, 1, 4, 5)])
    })

    it('counts who abstained with those who show nothing, whatever they showed', async () => {
      await differ()
      for (const site of [0, 1, 4, 5]) await run.justify(site, 1)
      await run.abstain(4, 1)
      await run.abstain(2, 1)
      expect(await stands(), 'site 3 may still come').to.deep.equal([PHASE.Keying, true, bits(0, 1, 4, 5)])
      await pass()
      expect(event(await run.tick(), 'RoundVoid').phase, 'three of six').to.equal(BigInt(PHASE.Keying))
      expect((await run.view(1)).round.abstained).to.equal(bits(2, 3, 4))
      expect((await round()).awaited, 'fewer than a quorum').to.equal(bits(...all))
    })

    it('is void at once with fewer than enough, where all said what they do', async () => {
      await differ()
      for (const site of [0, 1, 4]) await run.justify(site, 1)
      for (const site of [2, 3]) expect(names(await run.abstain(site, 1))).to.deep.equal(['Abstained'])
      const outcome = await run.justify(5, 1)
      expect(names(outcome), 'nobody trains for it').to.deep.equal(['Justified', 'RoundVoid', 'RoundOpened'])
      expect(event(outcome, 'RoundVoid').phase).to.equal(BigInt(PHASE.Keying))
      expect((await round()).awaited).to.equal(bits(0, 1, 4, 5))
    })

    it('counts who withdrew and showed nothing as well', async () => {
      await differ()
      await w.send(w.hospital(5).steward, w.studies, 'withdrawSite', run.study)
      for (const site of [0, 1, 2, 3]) await run.justify(site, 1)
      await pass()
      expect(names(await run.tick())).to.deep.equal(['RoundVoid', 'RoundOpened'])
      expect((await run.view(1)).round.abstained).to.equal(bits(4, 5))
    })

    it('makes the step of the limit of what is shown before the call that comes too late', async () => {
      await differ()
      for (const site of [0, 1, 2, 3, 4]) await run.justify(site, 1)
      await pass()
      await refusedAs(run.justify(5, 1), 'WrongPhase', [1, 1, PHASE.Contributing])
      await refusedAs(run.contribute(5, 1), 'AlreadyAbstained', [1, 1, 5])
      await refusedAs(run.contribute(0, 1, await run.began()), 'OtherOpening', [1, 1, (await ethers.provider.getBlockNumber()) + 1])
      expect(names(await run.contribute(0, 1)), 'on any history').to.deep.equal(['PhaseBegan', 'Contributed'])
    })

    it('takes what was shown of the block in which that began, for 256 blocks', async () => {
      const slow = await w.run({ mode: 1, minSites: 5, quorum: 4, limits: Array(5).fill({ seconds_: 6_000, blocks: 6_000 }) })
      for (const site of all) await slow.key(site, 1, slow.allBut(site, ...(site === 1 ? [4] : [])))
      const [began, known] = [await slow.began(), (await slow.view()).round.sinceBlock]
      for (const other of [digest('another'), await slow.opening()]) await refusedAs(slow.justify(0, 1, '0x', other), 'OtherOpening', [2, 1, known])
      expect(names(await slow.justify(0, 1, '0x', began))).to.deep.equal(['Justified'])
      await slow.justify(1, 1, '0x', ZERO)
      await helpers.mine(255 - ((await ethers.provider.getBlockNumber()) - Number(known)))
      await refusedAs(slow.justify(2, 1, '0x', digest('another')), 'OtherOpening', [2, 1, known])
      expect(names(await slow.justify(2, 1, '0x', began)), 'the 256th').to.deep.equal(['Justified'])
      expect(names(await slow.justify(3, 1, '0x', digest('another'))), 'its hash is forgotten').to.deep.equal(['Justified'])
    })

    it('refuses what is mined again after others were asked to show what they dealt', async () => {
      for (const site of all.slice(0, 5)) await run.key(site, 1, run.allBut(site, ...(site === 1 ? [4] : [])))
      const before = await helpers.takeSnapshot()
      await run.key(5, 1)
      const lost = await run.began()
      await before.restore()
      await run.key(5, 1, run.allBut(5, 0))
      await refusedAs(run.justify(4, 1, '0x5a', lost), 'OtherOpening', [1, 1, (await round()).sinceBlock])
      expect(await stands()).to.deep.equal([PHASE.Keying, true, 0n])
      await run.justify(4, 1, '0x5a', await run.began())
    })

    it('refuses what was known before the call that itself begins it', async () => {
      for (const site of all.slice(0, 5)) await run.key(site, 1, run.allBut(site, ...(site === 1 ? [4] : [])))
      await pass()
      await refusedAs(run.justify(0, 1, '0x', await run.began()), 'OtherOpening', [1, 1, (await ethers.provider.getBlockNumber()) + 1])
      expect(await stands(), 'nor is the step made').to.deep.equal([PHASE.Keying, false, 0n])
    })

    it('takes 115,200 bytes, and no more', async () => {
      await differ()
      await refusedAs(run.justify(0, 1, `0x${'5a'.repeat(115_201)}`, digest('another')), 'TooLong', [1, 1, 115_201, 115_200])
      const longest = `0x${'5a'.repeat(115_200)}`
      const outcome = await run.justify(0, 1, longest, await run.began())
      expect(event(outcome, 'Justified').justification).to.equal(longest)
      await refusedAs(run.justify(0, 1, `0x${'5a'.repeat(115_201)}`), 'AlreadyJustified', [1, 1, 0])
    })

    it('waits for nobody who abstains, or withdrew', async () => {
      await differ()
      for (const site of [0, 1, 2, 4]) await run.justify(site, 1)
      await w.send(w.hospital(5).steward, w.studies, 'withdrawSite', run.study)
      await refusedAs(run.justify(5, 1), 'NotApproved', [run.study, 5])
      const outcome = await run.abstain(3, 1)
      expect(names(outcome)).to.deep.equal(['Abstained', 'PhaseBegan'])
      expect(event(outcome, 'PhaseBegan')).to.deep.equal(contributing)
      const r = await round()
      expect([r.keyed, r.awaited, r.abstained, r.justified]).to.deep.equal([bits(...all), bits(0, 1, 2, 4, 5), bits(3), bits(0, 1, 2, 4)])
    })

    it('waits for nobody who abstained before, and lets it show what it dealt', async () => {
      for (const site of all.slice(0, 5)) await run.key(site, 1, run.allBut(site, ...(site === 1 ? [4] : [])))
      await run.abstain(4, 1)
      await run.key(5, 1)
      expect(await stands()).to.deep.equal([PHASE.Keying, true, 0n])
      expect(names(await run.justify(4, 1))).to.deep.equal(['Justified'])
      for (const site of [0, 1, 2, 3]) await run.justify(site, 1)
      expect(names(await run.justify(5, 1))).to.deep.equal(['Justified', 'PhaseBegan'])
      expect((await round()).awaited).to.equal(bits(0, 1, 2, 3, 5))
    })

    it('refuses a second time, and before deals are justified', async () => {
      await refusedAs(run.justify(0, 1), 'NotJustifying', [1, 1])
      await differ()
      await run.justify(0, 1)
      await refusedAs(run.justify(0, 1), 'AlreadyJustified', [1, 1, 0])
      await refusedAs(run.key(0, 1), 'AlreadyKeyed', [1, 1, 0])
    })

    it('refuses to justify in another round, another phase and an open study', async () => {
      await refusedAs(run.justify(0, 2), 'NotCurrentRound', [1, 2, 1])
      await keys(1, all)
      await refusedAs(run.justify(0, 1), 'WrongPhase', [1, 1, PHASE.Contributing])
      const open = await w.run()
      await refusedAs(open.justify(0, 1), 'WrongPhase', [2, 1, PHASE.Contributing])
      await run.send(0, 'halt', 0)
      await refusedAs(run.justify(0, 1), 'RunNotActive', [1, STATE.Halted])
    })

    it('refuses to have strangers justify, unknown runs, and the code behind the call', async () => {
      await refused(w.send(w.hospital(0).steward, w.rounds, 'justify', 1, 1, ZERO, '0x'), w.sites, 'SiteRegistry_NotNode')
      await refused(w.send(w.hospital(0).node, w.rounds, 'justify', 9, 1, ZERO, '0x'), w.rounds, 'RoundCoordinator_UnknownRun', [9])
      const code = await ethers.deployContract('MaskedRounds', [w.sites, w.studies, w.ledger, w.privacy])
      await refused(w.send(w.hospital(0).node, code, 'justify', 1, 1, ZERO, '0x'), code, 'RoundCoordinator_UnknownRun', [1])
    })

    it('awaits the whole rota once nobody showed anything, and pauses at the third such round', async () => {
      for (const number of [1, 2, 3]) {
        await differ(number)
        await pass()
        const outcome = await run.tick()
        expect(event(outcome, 'RoundVoid').phase).to.equal(BigInt(PHASE.Keying))
        expect(await stands(number), 'of the void round').to.deep.equal([PHASE.Keying, true, 0n])
        if (number < 3) expect([(await round()).awaited, ...(await stands())]).to.deep.equal([bits(...all), PHASE.Keying, false, 0n])
        else expect(event(outcome, 'RunStateChanged')).to.deep.equal({ ...paused, reason: 0n })
      }
      for (const site of [0, 1, 2, 3]) await ready(site)
      expect([(await round()).awaited, ...(await stands())], 'after the pause').to.deep.equal([bits(...all), PHASE.Keying, false, 0n])
    })

    it('begins anew in each round, whatever its place in the ring held', async () => {
      const whole = async (number: number, differing: boolean) => {
        const leader = Number((await round()).leader)
        if (differing) await differ(number)
        else await keys(number, all)
        if (differing) for (const site of all) await run.justify(site, number)
        await run.freeze(number, all, [leader, (leader + 1) % 6])
        await run.publish(leader, number)
        for (const site of [0, 1, 2, 3]) await run.attest(site, number)
      }
      await whole(1, true)
      for (let number = 2; number <= 8; number++) await whole(number, number === 2)
      expect(await stands(2)).to.deep.equal([PHASE.Attesting, false, bits(...all)])
      expect(await stands(3)).to.deep.equal([PHASE.Attesting, false, 0n])
      await keys(9, [0, 1, 2, 3, 4])
      expect(await stands(), 'in the place of the first').to.deep.equal([PHASE.Keying, false, 0n])
      expect(event(await run.key(5, 9), 'PhaseBegan').phase).to.equal(BigInt(PHASE.Contributing))
      expect(await stands()).to.deep.equal([PHASE.Contributing, false, 0n])
      await run.freeze(9, all, [2, 3])
      await run.publish(2, 9)
      for (const site of [0, 1, 2, 3]) await run.attest(site, 9)
      await keys(10, [0, 1, 2, 3])
      expect(await stands(), 'in the place of the second').to.deep.equal([PHASE.Keying, false, 0n])
      await run.key(4, 10, run.allBut(4), bits(2))
      expect(await stands(), 'not yet').to.deep.equal([PHASE.Keying, false, 0n])
      await run.key(5, 10)
      expect(await stands(), 'nobody of this round').to.deep.equal([PHASE.Keying, true, 0n])
      await run.justify(2, 10)
      expect(await stands()).to.deep.equal([PHASE.Keying, true, bits(2)])
    })

    it('keeps who justified as long as its set stays', async () => {
      await differ()
      for (const site of all) await run.justify(site, 1)
      await run.freeze(1, all, [0, 1])
      await run.publish(0, 1)
      expect(event(await spend(1), 'RunStateChanged')).to.deep.equal(paused)
      expect(await stands()).to.deep.equal([PHASE.Publishing, false, bits(...all)])
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

    it('comes to nothing with a pause too, where nobody published in three rounds', async () => {
      await pass(6)
      await run.tick()
      for (const number of [2, 3]) {
        await keys(number, all)
        await run.freeze(number, all, [0, 1, 2, 3])
        await pass(6)
        const outcome = await run.tick()
        expect(event(outcome, 'RoundVoid').phase).to.equal(BigInt(PHASE.Publishing))
        if (number === 3) expect(event(outcome, 'RunStateChanged')).to.deep.equal({ ...paused, reason: 0n })
      }
      for (const site of [0, 1, 2]) await ready(site)
      expect(names(await ready(3)), 'another set may be frozen').to.deep.equal(['SiteReady', 'RunStateChanged', 'RoundOpened'])
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
