import { expect } from 'chai'
import { event, names, refused } from '../support/expect.ts'
import { bytesOf, MaskedRun, turned } from '../support/masked.ts'
import { digest, NO_SITE, PHASE, pass, read, STATE, STATUS, World, ZERO } from '../support/world.ts'

describe('RoundCoordinator, Disputes', () => {
  const all = [0, 1, 2, 3, 4]
  let m: MaskedRun
  let w: World
  let wrong: Uint8Array

  /** Frozen with sites that contributed out of order; the leader publishes a sum with one bit turned. */
  beforeEach(async () => {
    m = await MaskedRun.open(5)
    w = m.world
    await m.freeze(1, [2, 0, 4, 1, 3], [0, 1])
    wrong = turned(m.trueSum(1, all), 8 * 1500 + 3)
    await m.publish(0, 1, wrong)
  })

  const round = async () => (await m.run.view()).round
  const refusedAs = (call: Promise<unknown>, error: string, args?: readonly unknown[]) => refused(call, w.rounds, `RoundCoordinator_${error}`, args)

  describe('while the publication is attested', () => {
    it('throws a sum out that is wrong in one bit', async () => {
      const outcome = await m.dispute(3, 1, m.evidence(1, all, wrong))
      expect(names(outcome)).to.deep.equal(['Disputed', 'PublicationDiscarded', 'PhaseBegan'])
      expect(event(outcome, 'Disputed')).to.deep.equal({ run: 1n, round: 1n, site: 3n, publisher: 0n, attempt: 0n, leaf: 1n })
      expect(event(outcome, 'PublicationDiscarded')).to.deep.equal({ run: 1n, round: 1n, publisher: 0n, attempt: 0n, wrongSum: true })
      const r = await round()
      expect([r.phase, r.attempt, r.firstPlace]).to.deep.equal([BigInt(PHASE.Publishing), 1n, 1n])
    })

    it('lets a standby publish the true sum, which cannot be disputed', async () => {
      await m.dispute(4, 1, m.evidence(1, all, wrong))
      const sum = m.trueSum(1, all)
      await m.publish(1, 1, sum, 1)
      for (const leaf of [0, 1, 2]) await refusedAs(m.dispute(4, 1, m.evidence(1, all, sum, leaf)), 'TrueLeaf', [1, 1, leaf])
      await m.close(1, [0, 2, 3], 1)
      expect((await m.run.view()).closedRounds).to.equal(1n)
    })

    it('passes the publisher over for its next three turns', async () => {
      await m.dispute(4, 1, m.evidence(1, all, wrong))
      await m.publish(1, 1, m.trueSum(1, all), 1)
      await m.close(1, [0, 2, 3], 1)
      const leaders: bigint[] = []
      for (let number = 2; number <= 6; number++) {
        const { leader } = await round()
        leaders.push(leader)
        const next = (Number(leader) + 1) % 5
        await m.freeze(number, all, [Number(leader), next])
        await m.publish(Number(leader), number, m.trueSum(number, all))
        await m.close(number, [0, 1, 2])
      }
      expect(leaders).to.deep.equal([1n, 2n, 3n, 4n, 1n])
    })

    it('lets a member dispute that is not in the frozen set', async () => {
      const other = await MaskedRun.open(5)
      await other.freeze(1, all, [0, 1, 2], [0, 1, 2, 4])
      const sum = turned(other.trueSum(1, [0, 1, 2, 4]))
      await other.publish(0, 1, sum)
      expect(names(await other.dispute(3, 1, other.evidence(1, [0, 1, 2, 4], sum)))).to.include('Disputed')
    })

    it('pauses the run when publications are spent', async () => {
      for (let attempt = 0; attempt < 4; attempt++) {
        await m.dispute(4, 1, m.evidence(1, all, wrong))
        await m.publish(attempt + 1, 1, wrong, attempt + 1)
      }
      expect(names(await m.dispute(4, 1, m.evidence(1, all, wrong)))).to.deep.equal(['Disputed', 'PublicationDiscarded', 'RunStateChanged'])
    })

    it('ends the run when the round cannot be closed again', async () => {
      for (let attempt = 0; ; attempt++) {
        if ((await m.run.view()).state === BigInt(STATE.Paused)) for (const site of [0, 1, 2, 3]) await m.run.send(site, 'ready')
        if (attempt > 0) await m.publish(attempt % 5, 1, wrong, attempt)
        await m.close(1, [0, 1, 2], attempt, STATUS.continue, `model ${attempt}`)
        const outcome = await m.dispute(4, 1, m.evidence(1, all, wrong))
        expect(names(outcome)).to.include('PublicationDiscarded')
        const { state, modelRoot } = await m.run.view()
        expect(modelRoot, 'no wrong model stands').to.equal(digest('model 0'))
        if (state !== BigInt(STATE.Ended)) continue
        expect(attempt).to.equal(6)
        return
      }
    })

    it('takes words of 32 bits as well', async () => {
      const narrow = await MaskedRun.open(5, { wordBits: 32, lengthBytes: 2048 })
      await narrow.freeze(1, all, [0, 1])
      const sum = turned(narrow.trueSum(1, all), 8 * 2047 + 7)
      await narrow.publish(0, 1, sum)
      expect(event(await narrow.dispute(2, 1, narrow.evidence(1, all, sum)), 'Disputed').leaf).to.equal(1n)
    })
  })

  describe('when the published sum has another length', () => {
    /** Publications one after another, each thrown out in its turn. */
    const thrownOut = async (lengths: readonly number[]) => {
      await m.dispute(4, 1, m.evidence(1, all, wrong))
      for (const [i, length] of lengths.entries()) {
        const other = bytesOf('tail', length)
        other.set(m.trueSum(1, all).subarray(0, length))
        await m.publish(i + 1, 1, other, i + 1)
        expect(names(await m.dispute(3, 1, m.evidence(1, all, other))), `${length} bytes`).to.include('Disputed')
      }
    }

    it('is thrown out when it is shorter, though it begins like the true sum', () => thrownOut([1, 1000, 1025, 2048]))

    it('is thrown out when it is longer, though it begins like the true sum', () => thrownOut([3073, 5000, 40_000]))

    it('stands when only the padding is longer', async () => {
      await m.dispute(4, 1, m.evidence(1, all, wrong))
      const padded = new Uint8Array(3072)
      padded.set(m.trueSum(1, all))
      await m.publish(1, 1, padded, 1)
      await refusedAs(m.dispute(3, 1, m.evidence(1, all, padded, 2)), 'TrueLeaf')
    })
  })

  describe('when the round is closed', () => {
    beforeEach(() => m.close(1, [0, 1, 2]))

    it('voids the open round, takes the model back and publishes the same set again', async () => {
      await m.contribute(1, 2)
      const outcome = await m.dispute(4, 1, m.evidence(1, all, wrong))
      expect(names(outcome)).to.deep.equal(['Disputed', 'RoundVoid', 'PublicationDiscarded', 'PhaseBegan', 'LineageStruck'])
      expect(event(outcome, 'RoundVoid')).to.deep.equal({ run: 1n, round: 2n, phase: BigInt(PHASE.Contributing) })
      const view = await m.run.view()
      expect([view.modelRoot, view.modelCid, view.closedRounds, view.voidsInARow]).to.deep.equal([digest('model 0'), digest('model cid 0'), 0n, 0n])
      expect([view.round.round, view.round.phase, view.round.attempt, view.round.included]).to.deep.equal([1n, BigInt(PHASE.Publishing), 1n, 31n])
    })

    it('voids a round whose deals are justified, and none is justified in the next', async () => {
      for (const site of all) await m.run.key(site, 2, m.run.allBut(site, ...(site === 1 ? [4] : [])))
      await m.run.justify(4, 2)
      const outcome = await m.dispute(4, 1, m.evidence(1, all, wrong))
      expect(event(outcome, 'RoundVoid')).to.deep.equal({ run: 1n, round: 2n, phase: BigInt(PHASE.Keying) })
      expect([(await round()).justifying, (await round()).justified]).to.deep.equal([false, 0n])
      await refusedAs(m.run.justify(3, 2), 'NotCurrentRound', [1, 2, 1])
      await m.publish(1, 1, m.trueSum(1, all), 1)
      await m.close(1, [0, 1, 2], 1, STATUS.continue, 'better')
      const r = await round()
      expect([r.round, r.phase, r.awaited, r.justifying]).to.deep.equal([3n, BigInt(PHASE.Keying), 31n, false])
      await m.freeze(3, all, [1, 2])
      expect((await round()).phase).to.equal(BigInt(PHASE.Publishing))
    })

    it('brings a round back with who justified in it', async () => {
      for (const site of all) await m.run.key(site, 2, m.run.allBut(site, ...(site === 1 ? [4] : [])))
      for (const site of all) await m.run.justify(site, 2)
      await m.freeze(2, all, [1, 2])
      const second = turned(m.trueSum(2, all))
      await m.publish(1, 2, second)
      await m.close(2, [0, 1, 2])
      expect([(await round()).round, (await round()).justified]).to.deep.equal([3n, 0n])
      await m.dispute(4, 2, m.evidence(2, all, second))
      const r = await round()
      expect([r.round, r.phase, r.justifying, r.justified]).to.deep.equal([2n, BigInt(PHASE.Publishing), false, 31n])
    })

    it('tells in the ledger that the result was struck, and takes its release back', async () => {
      const result = digest('model 1 0')
      for (const site of [0, 1, 2]) await w.send(w.hospital(site).node, w.ledger, 'endorse', 1, result, digest('evidence'))
      expect(await read(w.ledger, 'releasedOn', 1, result)).to.equal(digest('evidence'))
      const outcome = await m.dispute(4, 1, m.evidence(1, all, wrong))
      const { result: struck, newest, head } = event(outcome, 'LineageStruck')
      expect([struck, newest]).to.deep.equal([result, ZERO])
      expect(await read(w.ledger, 'lineageOf', 1)).to.deep.equal([head, ZERO])
      expect(await read(w.ledger, 'releasedOn', 1, result)).to.equal(ZERO)
      expect(await read(w.ledger, 'struckIn', 1, result)).to.equal(1n)
    })

    it('goes on with a number that was not used, led by the site after', async () => {
      await m.dispute(4, 1, m.evidence(1, all, wrong))
      await m.publish(1, 1, m.trueSum(1, all), 1)
      await m.close(1, [0, 1, 2], 1, STATUS.continue, 'better')
      const view = await m.run.view()
      expect([view.modelRoot, view.closedRounds, view.round.round, view.round.leader]).to.deep.equal([digest('better 1 0'), 1n, 3n, 1n])
      expect(await read(w.ledger, 'lineageOf', 1)).to.deep.include(digest('better 1 0'))
      expect((await m.run.view(2)).round.phase).to.equal(BigInt(PHASE.Keying))
    })

    it('goes back to the result before, when there is one', async () => {
      await m.freeze(2, all, [1, 2])
      const second = turned(m.trueSum(2, all))
      await m.publish(1, 2, second)
      await m.close(2, [0, 1, 2])
      const outcome = await m.dispute(4, 2, m.evidence(2, all, second))
      expect(event(outcome, 'LineageStruck').newest).to.equal(digest('model 1 0'))
      expect((await m.run.view()).modelRoot).to.equal(digest('model 1 0'))
    })

    it('can be disputed again when a wrong sum closes it again', async () => {
      await m.dispute(4, 1, m.evidence(1, all, wrong))
      await m.publish(1, 1, wrong, 1)
      await m.close(1, [0, 1, 2], 1)
      expect((await round()).round).to.equal(3n)
      await m.dispute(3, 1, m.evidence(1, all, wrong))
      const view = await m.run.view()
      expect([view.round.round, view.round.attempt, view.closedRounds]).to.deep.equal([1n, 2n, 0n])
    })

    it('counts late attestations of it for nothing', async () => {
      await m.dispute(4, 1, m.evidence(1, all, wrong))
      expect(names(await m.run.attest(3, 1))).to.deep.equal(['Attested'])
      await refusedAs(m.run.attest(0, 1), 'AlreadyAttested', [1, 1, 0])
      await refusedAs(m.run.attest(3, 2), 'WrongAttempt', [1, 2, 0, 0])
      expect((await round()).phase).to.equal(BigInt(PHASE.Publishing))
    })

    it('wakes a paused run', async () => {
      for (let i = 0; i < 3; i++) {
        await pass()
        await m.run.tick()
      }
      expect((await m.run.view()).state).to.equal(BigInt(STATE.Paused))
      const outcome = await m.dispute(4, 1, m.evidence(1, all, wrong))
      expect(names(outcome)).to.deep.equal(['Disputed', 'RunStateChanged', 'PublicationDiscarded', 'PhaseBegan', 'LineageStruck'])
      expect(event(outcome, 'RunStateChanged')).to.deep.equal({ run: 1n, state: BigInt(STATE.Active), site: 4n, reason: 0n })
      expect((await m.run.view()).voidsInARow).to.equal(0n)
    })

    it('leaves a halted run halted', async () => {
      await m.run.send(2, 'halt', 0)
      const outcome = await m.dispute(4, 1, m.evidence(1, all, wrong))
      expect(names(outcome)).to.deep.equal(['Disputed', 'PublicationDiscarded', 'LineageStruck'])
      const view = await m.run.view()
      expect([view.state, view.modelRoot, view.closedRounds]).to.deep.equal([BigInt(STATE.Halted), digest('model 0'), 0n])
      await refusedAs(m.dispute(4, 1, m.evidence(1, all, wrong)), 'NotDisputable', [1, 1])
    })

    it('is over when a later round freezes', async () => {
      for (const site of all) await m.contribute(site, 2)
      await m.run.witness(1, 2, 31n)
      const late = m.evidence(1, all, wrong)
      await m.run.witness(2, 2, 31n)
      await refusedAs(m.dispute(4, 1, late), 'NotDisputable', [1, 1])
      await refusedAs(m.dispute(4, 3, late), 'NotDisputable', [1, 3])
      await refusedAs(m.dispute(4, 0, late), 'NotDisputable', [1, 0])
      await refusedAs(m.dispute(4, 2, late), 'WrongPhase', [1, 2, PHASE.Publishing])
    })

    it('is over when eight rounds opened after it, though none of them froze', async () => {
      for (let last = 2; last < 9; last++) {
        await pass()
        await m.run.tick()
        if ((await m.run.view()).state === BigInt(STATE.Paused)) for (const site of [0, 1, 2]) await m.run.send(site, 'ready')
      }
      expect((await round()).round).to.equal(9n)
      await refusedAs(m.dispute(4, 1, m.evidence(1, all, wrong)), 'NotDisputable', [1, 1])
    })
  })

  describe('when the round ended the run', () => {
    beforeEach(() => m.close(1, [0, 1, 2], 0, STATUS.finished))

    it('opens it again within one limit of Publishing', async () => {
      expect((await m.run.view()).state).to.equal(BigInt(STATE.Finished))
      const outcome = await m.dispute(4, 1, m.evidence(1, all, wrong))
      expect(names(outcome)).to.deep.equal(['Disputed', 'RunStateChanged', 'PublicationDiscarded', 'PhaseBegan', 'LineageStruck'])
      await m.publish(1, 1, m.trueSum(1, all), 1)
      await m.close(1, [0, 1, 2], 1, STATUS.finished)
      const view = await m.run.view()
      expect([view.state, view.closedRounds]).to.deep.equal([BigInt(STATE.Finished), 1n])
    })

    it('lets it rest after that', async () => {
      await pass()
      await refusedAs(m.dispute(4, 1, m.evidence(1, all, wrong)), 'NotDisputable', [1, 1])
    })

    it('lets all other rounds rest', async () => {
      for (const other of [0, 2]) await refusedAs(m.dispute(4, other, m.evidence(1, all, wrong)), 'NotDisputable', [1, other])
    })
  })

  describe('when it is wrong', () => {
    const change = (change: object) => m.run.send(4, 'dispute', 1, { ...part().evidence, ...change })
    const part = () => {
      const { leaf, leaves, contributions, updates, sum } = m.evidence(1, all, wrong)
      const joined = (list: readonly { leaf: Uint8Array; path: readonly string[] }[]) =>
        `0x${list.map((u) => hex(u.leaf) + u.path.map((p) => p.slice(2)).join('')).join('')}`
      const found = 'found' in sum ? sum.found : `0x${hex(sum.leaf)}`
      return {
        evidence: {
          ...{ leaf, leaves, updates: joined(updates), sum: found + sum.path.map((p) => p.slice(2)).join('') },
          contributions: `0x${contributions.map((c) => c.site.toString(16).padStart(2, '0') + c.root.slice(2)).join('')}`,
        },
      }
    }
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

    it('refuses a study that is not masked', async () => {
      const open = await (await World.deploy(3)).run()
      await open.round(1, 0)
      const call = open.send(0, 'dispute', 1, part().evidence)
      await refused(call, open.world.rounds, 'RoundCoordinator_NotMasked', [1])
    })

    it('refuses who is no member, no site, and an unknown run', async () => {
      await w.send(w.hospital(4).steward, w.studies, 'withdrawSite', m.run.study)
      await refusedAs(change({}), 'NotMember', [m.run.study, 4])
      await refused(w.send(w.hospital(4).steward, w.rounds, 'dispute', 1, 1, part().evidence), w.sites, 'SiteRegistry_NotNode')
      await refused(w.send(w.hospital(3).node, w.rounds, 'dispute', 2, 1, part().evidence), w.rounds, 'RoundCoordinator_UnknownRun', [2])
    })

    it('refuses a round of which nothing is published', async () => {
      await m.dispute(4, 1, m.evidence(1, all, wrong))
      await refusedAs(change({}), 'WrongPhase', [1, 1, PHASE.Publishing])
    })

    it('makes the step of a limit first', async () => {
      await pass()
      await refusedAs(change({}), 'WrongPhase', [1, 1, PHASE.Publishing])
      expect((await round()).phase).to.equal(BigInt(PHASE.Attesting))
    })

    it('refuses a leaf outside the tree', async () => {
      await refusedAs(change({ leaf: 3 }), 'LeafOutside', [3, 3])
      await refusedAs(change({ leaf: 0, leaves: 0 }), 'LeafOutside', [0, 0])
      await refusedAs(change({ leaves: 2 ** 24 + 1 }), 'LeafOutside', [1, 2 ** 24 + 1])
    })

    it('refuses contributions in another order, with other roots, sites that are absent, or too few', async () => {
      const { contributions } = part().evidence
      const each = Array.from({ length: 5 }, (_, i) => contributions.slice(2 + 66 * i, 68 + 66 * i))
      const acc = (await round()).accumulator
      const bad = (list: readonly string[]) => refusedAs(change({ contributions: `0x${list.join('')}` }), 'WrongContributions', [1, 1, acc])
      await bad(each.toReversed())
      await bad([...each, `07${digest('root').slice(2)}`])
      await bad(each.slice(1))
      await bad([])
      await bad([`03${each[0]?.slice(2)}`, ...each.slice(1)])
      await bad([...each.slice(0, 4), each[4]?.slice(0, 64) as string])
    })

    it('refuses updates that are missing or too many', async () => {
      const { updates } = part().evidence
      const bytes = updates.length / 2 - 1
      await refusedAs(change({ updates: updates.slice(0, -2) }), 'WrongUpdates', [1, 1, bytes - 1, bytes])
      await refusedAs(change({ updates: updates.slice(0, 2 + (2 * bytes * 4) / 5) }), 'WrongUpdates', [1, 1, (bytes * 4) / 5, bytes])
      await refusedAs(change({ updates: updates + updates.slice(2, 2 + (2 * bytes) / 5) }), 'WrongUpdates', [1, 1, (bytes * 6) / 5, bytes])
      await refusedAs(change({ updates: '0x' }), 'WrongUpdates', [1, 1, 0, bytes])
    })

    it('refuses a leaf or a path that is not under its root, naming the site', async () => {
      const { updates } = part().evidence
      const other = (at: number) => `${updates.slice(0, at)}${updates[at] === '0' ? '1' : '0'}${updates.slice(at + 1)}`
      const stride = 2 * (1024 + 64)
      await refusedAs(change({ updates: other(2) }), 'WrongPath', [2])
      await refusedAs(change({ updates: other(2 + stride + 2 * 1030) }), 'WrongPath', [0])
      await refusedAs(change({ updates: other(2 + 5 * stride - 1) }), 'WrongPath', [3])
      await refusedAs(change({ leaf: 0 }), 'WrongPath', [2])
    })

    it("refuses evidence that is not under the published sum's root", async () => {
      const { sum } = part().evidence
      await refusedAs(change({ sum: `0x${'11'.repeat(32)}${sum.slice(66)}` }), 'WrongPath', [NO_SITE])
      await refusedAs(change({ sum: `${sum}00` }), 'WrongPath', [NO_SITE])
      await refusedAs(change({ sum: sum.slice(0, -64) }), 'WrongPath', [NO_SITE])
      await refusedAs(change({ sum: `0x${'00'.repeat(1024)}` }), 'WrongPath', [NO_SITE])
      await refusedAs(change({ sum: `0x${'00'.repeat(1024 + 64)}` }), 'WrongPath', [NO_SITE])
      await refusedAs(change({ sum: `0x${'00'.repeat(1025)}` }), 'WrongPath', [NO_SITE])
    })

    it('refuses a leaf at which the sum is right', async () => {
      await refusedAs(m.dispute(4, 1, m.evidence(1, all, wrong, 0)), 'TrueLeaf', [1, 1, 0])
      await refusedAs(m.dispute(4, 1, m.evidence(1, all, wrong, 2)), 'TrueLeaf', [1, 1, 2])
    })

    it('changes nothing without gas to finish, however little is missing', async () => {
      const node = w.hospital(4).node
      const { evidence } = part()
      const data = w.rounds.interface.encodeFunctionData('dispute', [1, 1, evidence])
      const whole = Number(await node.estimateGas({ to: w.rounds.target, data }))
      for (const share of [0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98]) {
        const gasLimit = Math.floor(whole * share)
        const sent = node.sendTransaction({ to: w.rounds.target, data, gasLimit }).then((tx) => tx.wait())
        expect(
          await sent.then(
            () => 'done',
            () => 'failed',
          ),
          `${share}`,
        ).to.equal('failed')
      }
      expect((await round()).phase).to.equal(BigInt(PHASE.Attesting))
    })
  })
})
