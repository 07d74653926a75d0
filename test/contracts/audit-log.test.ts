import { expect } from 'chai'
import { event, refused } from './support/expect.ts'
import { digest, read, World } from './support/world.ts'

describe('AuditLog', () => {
  let w: World

  beforeEach(async () => {
    w = await World.deploy(2)
  })

  it('records what an active site declares, by node or steward', async () => {
    for (const from of [w.hospital(1).node, w.hospital(1).steward]) {
      expect(event(await w.send(from, w.audits, 'record', 3, digest('report')), 'AuditEntry')).to.deep.equal({
        site: 1n,
        category: 3n,
        subject: digest('report'),
      })
    }
    expect(await read(w.audits, 'sites')).to.equal(w.sites.target)
  })

  it('refuses strangers, recovery accounts and suspended sites', async () => {
    const record = (from = w.hospital(1).recovery) => w.send(from, w.audits, 'record', 3, digest('report'))
    await refused(record(), w.audits, 'AuditLog_NotActive')
    await refused(record(w.spare[0]), w.audits, 'AuditLog_NotActive')
    await w.send(w.hospital(0).node, w.sites, 'propose', 1, 1)
    for (const site of [0, 1]) await w.send(w.hospital(site).node, w.sites, 'vote', 1, true)
    await refused(record(w.hospital(1).node), w.audits, 'AuditLog_NotActive')
  })
})
