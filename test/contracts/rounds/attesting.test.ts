import { expect } from 'chai'
import { AbiCoder, keccak256 } from 'ethers'
import { event, names, refused } from '../support/expect.ts'
import { bits, digest, NO_SITE, PHASE, pass, type RunDriver, read, STATE, STATUS, World, ZERO } from '../support/world.ts'

describe('RoundCoordinator, Attesting', () => {
  let w: World
  let run: RunDriver

  beforeEach(async () => {
    w = await World.deploy(5)
    run = await w.run({ minSites: 3, quorum: 2 })
    await run.freeze(1, [0, 1, 2, 3, 4], [0, 1])
    await run.publish(0, 1)
  })

  const round = async () => (await run.view()).round

  describe('when the majority agrees', () => {
    it('closes the round on its model and opens the next', async () => {
      for (const site of [4, 3]) expect(names(await run.attest(site, 1))).to.deep.equal(['Attested'])
      expect((await round()).attested).to.equal(bits(3, 4))
      const outcome = await run.attest(0, 1)
      expect(names(outcome)).to.deep.equal(['Attested', 'RoundClosed', 'RoundOpened', 'LineageExtended'])
      expect(event(outcome, 'RoundClosed')).to.deep.equal({
        run: 1n,
        round: 1n,
        attempt: 0n,
        status: 0n,
        modelRoot: digest('model 1 0'),
        modelCid: digest('model cid 1 0'),
      })
      expect(event(outcome, 'RoundOpened').baseRoot).to.equal(digest('model 1 0'))
      const v = await run.view()
      expect([v.modelRoot, v.modelCid, v.closedRounds, v.round.round]).to.deep.equal([digest('model 1 0'), digest('model cid 1 0'), 1n, 2n])
    })

    it('records the lineage', async () => {
      for (const site of [0, 1, 2]) await run.attest(site, 1)
      const link = [ZERO, 1, digest('model 0'), digest('sum 1 0'), digest('model 1 0')]
      const head = keccak256(AbiCoder.defaultAbiCoder().encode(['bytes32', 'uint256', 'bytes32', 'bytes32', 'bytes32'], link))
      expect(await read(w.ledger, 'lineageOf', 1)).to.deep.equal([head, digest('model 1 0')])
    })

    it('keeps the base with its refusal when refused', async () => {
      for (const site of [0, 1]) await run.attest(site, 1, STATUS.refused)
      const outcome = await run.attest(2, 1, STATUS.refused)
      expect(names(outcome)).to.deep.equal(['Attested', 'RoundRefused', 'RoundOpened'])
      const v = await run.view()
      expect([v.modelRoot, v.closedRounds, v.round.round]).to.deep.equal([digest('model 1 2'), 0n, 2n])
    })

    it('takes root, CID and status together', async () => {
      await run.attest(0, 1, STATUS.continue)
      await run.attest(1, 1, STATUS.finished)
      await run.attest(2, 1, STATUS.continue, 0, 'other')
      await run.send(3, 'attest', 1, 0, digest('model 1 0'), digest('another cid'), STATUS.continue, digest('own'))
      expect((await round()).round).to.equal(1n)
    })
  })

  describe('when nobody has a majority', () => {
    const disagree = async (statuses: readonly number[], labels: readonly string[] = []) => {
      let outcome = await run.attest(0, 1, statuses[0], 0, labels[0] ?? 'model')
      for (let site = 1; site < statuses.length; site++) outcome = await run.attest(site, 1, statuses[site], 0, labels[site] ?? 'model')
      return outcome
    }

    it('discards, whatever results and refusals have together', async () => {
      const { continue: go, refused: no } = STATUS
      const outcome = await disagree([go, go, no, no, go], ['a', 'a', 'r', 'r', 'b'])
      expect(names(outcome)).to.deep.equal(['Attested', 'PublicationDiscarded', 'PhaseBegan'])
      expect(event(outcome, 'PublicationDiscarded').wrongSum).to.equal(false)
    })

    it('takes no model that the fewer name as the base', async () => {
      const { continue: go, refused: no } = STATUS
      const outcome = await disagree([no, go, go, no, no], ['forged', 'a', 'a', 'r', 'r'])
      expect(names(outcome)).to.deep.equal(['Attested', 'PublicationDiscarded', 'PhaseBegan'])
    })

    it('decides at the limit with those that attested', async () => {
      await run.attest(0, 1, STATUS.continue)
      await run.attest(1, 1, STATUS.continue)
      await run.attest(2, 1, STATUS.refused)
      await pass()
      expect(names(await run.tick())).to.deep.equal(['PublicationDiscarded', 'PhaseBegan'])
    })

    it('discards at the limit when nobody attested', async () => {
      await pass()
      expect(names(await run.tick())).to.deep.equal(['PublicationDiscarded', 'PhaseBegan'])
      const r = await round()
      expect([r.attempt, r.firstPlace, r.phase, r.attested]).to.deep.equal([1n, 1n, BigInt(PHASE.Publishing), 0n])
    })

    it('starts each attempt with no attestations', async () => {
      for (const site of [0, 1]) await run.attest(site, 1)
      await pass()
      await run.tick()
      await run.publish(1, 1, 1)
      for (const site of [0, 1]) await run.attest(site, 1, STATUS.continue, 1)
      expect((await round()).round).to.equal(1n)
      await run.attest(2, 1, STATUS.continue, 1)
      expect((await round()).round).to.equal(2n)
    })
  })

  describe('when an attestation is refused', () => {
    it('is for a site outside the frozen set or withdrawn', async () => {
      const other = await w.openRun(run.study)
      for (const site of [0, 1, 2, 3]) await other.contribute(site, 1)
      await other.abstain(4, 1)
      for (const site of [0, 1]) await other.witness(site, 1, bits(0, 1, 2, 3))
      await other.publish(0, 1)
      await refused(other.attest(4, 1), w.rounds, 'RoundCoordinator_NotIncluded', [2, 1, 4])
      await w.send(w.hospital(3).steward, w.studies, 'withdrawSite', run.study)
      await refused(run.attest(3, 1), w.rounds, 'RoundCoordinator_NotApproved', [1, 3])
    })

    it('is for a tuple that its status does not allow', async () => {
      const tuple = (root: string, cid: string, status: number) => run.send(0, 'attest', 1, 0, root, cid, status, digest('own'))
      await refused(tuple(digest('m'), ZERO, STATUS.wrongSum), w.rounds, 'RoundCoordinator_BadTuple')
      await refused(tuple(ZERO, digest('c'), STATUS.wrongSum), w.rounds, 'RoundCoordinator_BadTuple')
      for (const status of [0, 1, 2]) {
        await refused(tuple(ZERO, digest('c'), status), w.rounds, 'RoundCoordinator_BadTuple')
        await refused(tuple(digest('m'), ZERO, status), w.rounds, 'RoundCoordinator_BadTuple')
      }
    })

    it('is for a second one, another round or a publication that was not made', async () => {
      await run.attest(0, 1)
      await refused(run.attest(0, 1, STATUS.refused), w.rounds, 'RoundCoordinator_AlreadyAttested', [1, 1, 0])
      await refused(run.attest(1, 1, STATUS.continue, 1), w.rounds, 'RoundCoordinator_WrongAttempt', [1, 1, 1, 1])
      for (const number of [0, 2]) await refused(run.attest(1, number), w.rounds, 'RoundCoordinator_NotCurrentRound', [1, number, 1])
    })

    it('is before the publication', async () => {
      const other = await w.openRun(run.study)
      await refused(other.attest(0, 1), w.rounds, 'RoundCoordinator_WrongAttempt', [2, 1, 0, 0])
    })
  })

  describe('when an attestation is late', () => {
    it('is recorded once, and counts for nothing', async () => {
      for (const site of [0, 1, 2]) await run.attest(site, 1)
      expect(names(await run.attest(3, 1, STATUS.refused))).to.deep.equal(['Attested'])
      expect((await run.view(1)).round.attested).to.equal(bits(0, 1, 2, 3))
      await refused(run.attest(3, 1), w.rounds, 'RoundCoordinator_AlreadyAttested', [1, 1, 3])
      expect((await run.view()).modelRoot).to.equal(digest('model 1 0'))
    })

    it('is recorded for a discarded publication', async () => {
      await pass()
      await run.tick()
      expect(names(await run.attest(1, 1))).to.deep.equal(['Attested'])
      await run.publish(1, 1, 1)
      expect(names(await run.attest(2, 1, STATUS.continue, 0))).to.deep.equal(['Attested'])
      expect((await round()).attested).to.equal(0n)
    })

    it('makes the step of a limit that has passed, and is late then', async () => {
      for (const site of [0, 1]) await run.attest(site, 1)
      await pass()
      expect(names(await run.attest(2, 1))).to.deep.equal(['PublicationDiscarded', 'PhaseBegan', 'Attested'])
    })

    it('is recorded when the run is over', async () => {
      await run.send(0, 'halt', 5)
      expect(names(await run.attest(1, 1))).to.deep.equal(['Attested'])
      expect((await run.view()).state).to.equal(BigInt(STATE.Halted))
    })

    it('is recorded while its round is one of the last eight', async () => {
      for (const site of [0, 1, 2]) await run.attest(site, 1)
      for (let number = 2; number <= 7; number++) await run.round(number, (number - 1) % 5)
      await run.attest(3, 1)
      await run.round(8, 2)
      await refused(run.attest(4, 1), w.rounds, 'RoundCoordinator_NotCurrentRound', [1, 1, 9])
      await refused(read(w.rounds, 'runAt', 1, 1), w.rounds, 'RoundCoordinator_NotCurrentRound', [1, 1, 9])
      const second = (await run.view(2)).round
      expect([second.round, second.included, second.publisher]).to.deep.equal([2n, bits(0, 1, 2, 3, 4), 1n])
    })
  })

  it('shows no publication before the first and after a discarded one', async () => {
    expect((await run.view()).round.publisher).to.equal(0n)
    await pass()
    await run.tick()
    const r = await round()
    expect([r.publisher, r.sumRoot, r.sumCid]).to.deep.equal([BigInt(NO_SITE), ZERO, ZERO])
  })
})
