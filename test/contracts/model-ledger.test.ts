import { expect } from 'chai'
import { names, refused } from './support/expect.ts'
import { digest, type RunDriver, read, World, ZERO } from './support/world.ts'

describe('ModelLedger', () => {
  let w: World
  let run: RunDriver
  const model = digest('model 1 0')

  beforeEach(async () => {
    w = await World.deploy(3)
    run = await w.run()
  })

  const endorse = (site: number, result = model, evidence = digest('evidence')) => w.send(w.hospital(site).node, w.ledger, 'endorse', 1, result, evidence)

  it('is extended and struck by the coordinator alone', async () => {
    await refused(w.send(w.hospital(0).node, w.ledger, 'extend', 1, 1, model, model, model), w.ledger, 'ModelLedger_NotCoordinator')
    await refused(w.send(w.hospital(0).node, w.ledger, 'strike', 1, 1, model), w.ledger, 'ModelLedger_NotCoordinator')
    expect(await read(w.ledger, 'lineageOf', 1)).to.deep.equal([ZERO, ZERO])
  })

  describe('when members endorse the newest result', () => {
    it('releases it at more than half, on the same evidence', async () => {
      await run.round(1, 0)
      expect(names(await endorse(0))).to.deep.equal(['ReleaseEndorsed'])
      await endorse(1, model, digest('other evidence'))
      expect(await read(w.ledger, 'releasedOn', 1, model)).to.equal(ZERO)
      expect(names(await endorse(2))).to.deep.equal(['ReleaseEndorsed', 'ModelReleased'])
      expect(await read(w.ledger, 'releasedOn', 1, model)).to.equal(digest('evidence'))
      expect(await read(w.ledger, 'endorsements', 1, model, digest('evidence'))).to.equal(0b101n)
    })

    it('releases it once', async () => {
      await run.round(1, 0)
      for (const site of [0, 1]) await endorse(site)
      expect(names(await endorse(2))).to.deep.equal(['ReleaseEndorsed'])
    })

    it('does not count sites that withdrew', async () => {
      await run.round(1, 0)
      await endorse(0)
      await w.send(w.hospital(0).steward, w.studies, 'withdrawSite', run.study)
      expect(names(await endorse(1))).to.deep.equal(['ReleaseEndorsed'])
      expect(names(await endorse(2))).to.deep.equal(['ReleaseEndorsed', 'ModelReleased'])
    })

    it('refuses non-members, older results, zero evidence and a second time', async () => {
      await refused(endorse(0), w.ledger, 'ModelLedger_NotNewest', [1, model, ZERO])
      await refused(endorse(0, ZERO), w.ledger, 'ModelLedger_NotNewest', [1, ZERO, ZERO])
      await run.round(1, 0)
      await refused(endorse(0, model, ZERO), w.ledger, 'ModelLedger_ZeroEvidence')
      await endorse(0)
      await refused(endorse(0), w.ledger, 'ModelLedger_AlreadyEndorsed', [1, 0])
      await run.round(2, 1)
      await refused(endorse(1), w.ledger, 'ModelLedger_NotNewest', [1, model, digest('model 2 0')])
      await w.send(w.hospital(2).steward, w.studies, 'withdrawSite', run.study)
      await refused(endorse(2), w.ledger, 'ModelLedger_NotMember', [1, 2])
    })
  })
})
