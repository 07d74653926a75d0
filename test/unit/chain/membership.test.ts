/**
 * Membership
 * given a request for admission, more than half of the members' votes admit it; its node then counts
 * given a vote by a stranger, twice, or after the end, it says so
 * given accounts that change, the old ones no longer act; recovery waits 48 hours
 * given a member that more than half vote out, it is suspended
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { membership, readProposal, readProposals, readRecovery, readSiteOf } from '#adapters/chain/membership.ts'
import { studyDesk } from '#adapters/chain/studies.ts'
import { type ErrorCode, isRotaError } from '#base/errors.ts'
import { siteId } from '#base/ids.ts'
import { accountOf, anvilWorld, detailsOf, keyOf } from '../../compliance/ethers-world.ts'

const fails = (call: Promise<unknown>, code: ErrorCode) =>
  assert.rejects(call, (error) => isRotaError(error, code) || assert.fail(`wanted ${code}: ${String(error)}`))

describe('membership', { timeout: 60_000 }, () => {
  let world: Awaited<ReturnType<typeof anvilWorld>>
  before(async () => {
    world = await anvilWorld(3)
  })
  after(() => world?.stop())
  const link = () => world.chains[0]?.link as NonNullable<(typeof world.chains)[0]>['link']
  const as = (site: number, role: 'node' | 'steward' | 'recovery' = 'node') => membership(link(), keyOf(site, role))

  it('admits a hospital by more than half of the votes', async () => {
    const proposal = await as(3).requestAdmission(detailsOf(3))
    await fails(as(3).requestAdmission(detailsOf(3)), 'ROTA-5210')
    await fails(as(4).requestAdmission(detailsOf(3)), 'ROTA-5203')
    await as(0).vote(proposal, true)
    await fails(as(0, 'steward').vote(proposal, true), 'ROTA-5209')
    await fails(as(3).vote(proposal, true), 'ROTA-5203')
    const open = await readProposal(link(), proposal)
    assert.deepEqual([open.kind, open.state, open.subject, open.yes, open.candidate], ['admit', 'open', null, 1n, detailsOf(3)])
    await as(1).vote(proposal, true)
    assert.equal((await readProposal(link(), proposal)).state, 'passed')
    await fails(as(2).vote(proposal, true), 'ROTA-5208')
    await fails(as(2).vote(99, true), 'ROTA-5207')
    assert.deepEqual(await readSiteOf(link(), accountOf(3, 'node')), { site: 3, role: 'node' })
    assert.equal(await readSiteOf(link(), accountOf(9, 'node')), null)
    assert.deepEqual((await world.chains[2]?.sites())?.at(-1), { id: 3, state: 'Active', ...detailsOf(3) })
  })

  it('suspends a member by more than half of the votes', async () => {
    await fails(as(9).propose('suspend', siteId(3)), 'ROTA-5203')
    const proposal = await as(0).propose('suspend', siteId(3))
    for (const site of [0, 1, 2]) await as(site).vote(proposal, true)
    assert.equal((await world.chains[0]?.sites())?.at(-1)?.state, 'Suspended')
    assert.deepEqual(
      (await readProposals(link())).map(({ kind, state }) => [kind, state]),
      [
        ['admit', 'passed'],
        ['suspend', 'passed'],
      ],
    )
  })

  it('replaces accounts and contact', async () => {
    const site = siteId(2)
    await as(2, 'steward').rotateNode(site, accountOf(7, 'node'))
    await fails(as(2).setContact(site, detailsOf(5)), 'ROTA-5204')
    await as(7).setContact(site, detailsOf(5))
    assert.deepEqual((await world.chains[0]?.sites())?.[2]?.multiaddrs, detailsOf(5).multiaddrs)
    await fails(as(7).rotateSteward(site, accountOf(7, 'steward')), 'ROTA-5204')
    await fails(as(0).rotateNode(siteId(0), accountOf(1, 'node')), 'ROTA-5201')

    await as(2, 'recovery').startRecovery(site, detailsOf(8))
    await fails(as(9).finishRecovery(site), 'ROTA-5212')
    assert.equal((await readRecovery(link(), site))?.steward, accountOf(8, 'steward'))
    await world.advance(48 * 3600, 1)
    await as(9).finishRecovery(site)
    assert.equal(await readRecovery(link(), site), null)
    assert.deepEqual(await readSiteOf(link(), accountOf(8, 'node')), { site: 2, role: 'node' })
    assert.equal(await readSiteOf(link(), accountOf(7, 'node')), null)
  })

  it('refuses numbers of a study that cannot work, and approvals of another digest', async () => {
    const desk = studyDesk(link(), keyOf(0, 'node'))
    const some = detailsOf(0).encryptionKey
    const limits = Array.from({ length: 5 }, () => ({ seconds: 60, blocks: 60 }))
    const rules = { minSites: 2, quorum: 2, maxRounds: 5, wordBits: 64, slices: 1, mode: 'open', exact: true, limits, arithmeticVersion: some } as const
    await fails(desk.publish(some, some, { ...rules, quorum: 3 }), 'ROTA-5302')
    await fails(desk.publish(some, some, { ...rules, mode: 'masked' }), 'ROTA-5302')
    await fails(desk.publish(some, some, { ...rules, limits: limits.map(() => ({ seconds: 1, blocks: 60 })) }), 'ROTA-5303')
    await fails(studyDesk(link(), keyOf(9, 'node')).publish(some, some, rules), 'ROTA-5203')
    const study = await desk.publish(some, some, rules)
    await fails(desk.approve(study, some), 'ROTA-5304')
    await fails(studyDesk(link(), keyOf(0, 'steward')).approve(study, detailsOf(1).encryptionKey), 'ROTA-5305')
    await studyDesk(link(), keyOf(0, 'steward')).approve(study, some)
    await fails(studyDesk(link(), keyOf(0, 'steward')).approve(study, some), 'ROTA-5306')
  })
})
