/**
 * A transaction that fails
 * given a chain that takes more gas for a call than it was given, it is sent again with more, and done once
 * given blocks that hold too little for it, one error says so; it is asked and not sent until it fits, then it is done
 * given too little gas for a call that is late (a journalled step that was done before), the contract's own reason is told
 * given a reason that is gone when it is looked for, it says so, and the same call is done when it is tried again
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { id } from 'ethers'
import { openSender, type Receipt } from '#adapters/chain/sender.ts'
import { studyDesk } from '#adapters/chain/studies.ts'
import { type Send, sendTo } from '#adapters/chain/writer.ts'
import { jsonRpc } from '#adapters/devchain/machine.ts'
import { sizeOf } from '#base/bitmap.ts'
import { type ErrorCode, isRotaError } from '#base/errors.ts'
import { digest, type RunId, type StudyId } from '#base/ids.ts'
import type { Chain } from '#ports/chain.ts'
import { anvilWorld, keyOf } from '../../compliance/ethers-world.ts'

const named = (name: string) => digest(id(name))
/** A call's own cost is 21,000: little is left for what it does. */
const TOO_LITTLE = 24_000
const BLOCK = 30_000_000
const fails = (call: Promise<unknown>, code: ErrorCode) =>
  assert.rejects(call, (error) => (isRotaError(error, code) && error.reaction === 'retry') || assert.fail(`wanted ${code}: ${String(error)}`))

describe('a transaction that fails', { timeout: 60_000 }, () => {
  let world: Awaited<ReturnType<typeof anvilWorld>>
  let study: StudyId
  let run: RunId
  let send: Send
  const control = (method: string, ...params: unknown[]) => jsonRpc(world.devChain.port, method, params)
  const at = (site: number) => world.chains[site] as Chain
  const contributed = async () => sizeOf((await at(0).run(run)).round.contributed)
  const sentBy = (site: number) => control('eth_getTransactionCount', at(site).account, 'latest').then(Number)
  const contribution = (site: number) => [run, 1, named(`update ${site}`), named(`cid ${site}`), named('cohort'), `0x${'00'.repeat(32)}`]

  before(async () => {
    world = await anvilWorld(4)
    study = await world.makeStudy({ minSites: 3, quorum: 3, exact: true, maxRounds: 5, limit: { seconds: 600, blocks: 600 } })
    run = await at(0).openRun(study, { root: named('model'), cid: named('model cid') })
    const link = (world.chains[0] as (typeof world.chains)[number]).link
    send = sendTo(link, openSender(link, keyOf(3, 'node')))
  })
  after(() => world.stop())

  it('for want of gas is sent again with more, and done once', async () => {
    const before = await sentBy(3)
    const receipt: Receipt = await send('AuditLog', 'record', [1, named('subject')], TOO_LITTLE)
    assert.equal(Number(receipt.status), 1)
    const tries = (await sentBy(3)) - before
    assert.ok(tries > 1, 'it was too little the first time')
    await send('AuditLog', 'record', [1, named('another')], TOO_LITTLE)
    assert.equal((await sentBy(3)) - before, tries + 1, 'the next is given enough at once')
    assert.equal((await at(1).events(0, { kinds: ['AuditEntry'] })).length, 2)
  })

  it('for want of gas in a whole block is told, and done once it fits', async () => {
    const before = await sentBy(3)
    await control('evm_setBlockGasLimit', 40_000)
    await fails(send('RoundCoordinator', 'contribute', contribution(3), TOO_LITTLE), 'ROTA-5018')
    const tried = (await sentBy(3)) - before
    await fails(send('RoundCoordinator', 'contribute', contribution(3), TOO_LITTLE), 'ROTA-5018')
    assert.equal((await sentBy(3)) - before, tried, 'it is asked, and not sent again')
    await control('evm_setBlockGasLimit', BLOCK)
    await control('evm_mine')
    assert.equal(await contributed(), 0, 'nothing has changed')
    await send('RoundCoordinator', 'contribute', contribution(3), TOO_LITTLE)
    assert.equal(await contributed(), 1)
  })

  it("for want of gas that was done before is told the contract's own reason", async () => {
    await assert.rejects(
      send('RoundCoordinator', 'contribute', contribution(3), TOO_LITTLE),
      (error) => isRotaError(error, 'ROTA-5104') && error.reaction === 'ignore',
    )
    assert.equal(await contributed(), 1)
  })

  it('for a reason that is gone is told so, and done when it is tried again', async () => {
    const steward = studyDesk((world.chains[1] as (typeof world.chains)[number]).link, keyOf(1, 'steward'))
    const { protocolDigest } = await at(0).study(study)
    const inPool = async (count: number) => {
      while (((await control('txpool_status')) as { pending: string }).pending !== `0x${count}`) await sleep(5)
    }
    const contribute = () => at(1).contribute(run, 1 as never, named('update 1'), named('cid 1'), named('cohort'))
    await control('evm_setAutomine', false)
    const withdrawn = steward.withdrawSite(study)
    await inPool(1)
    const refused = fails(contribute(), 'ROTA-5003')
    await inPool(2)
    const approved = steward.approve(study, protocolDigest)
    await inPool(3)
    await control('evm_mine')
    await control('evm_setAutomine', true)
    await Promise.all([withdrawn, refused, approved])
    assert.equal(await contributed(), 1)
    await contribute()
    assert.equal(await contributed(), 2)
  })
})
