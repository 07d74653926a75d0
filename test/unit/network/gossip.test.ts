import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { Penalties, UNREAD_SCORE } from '#adapters/gossip/penalties.ts'
import { topicOf } from '#adapters/gossip/topic.ts'
import { isRotaError } from '#base/errors.ts'
import { address, siteId } from '#base/ids.ts'
import { type TestNode, TestWorld, until } from './world.ts'

/** What gossipsub's class holds beside its published interface. */
interface Inside {
  readonly streamsOutbound: Map<string, { readonly rawStream: { abort(error: Error): void } }>
}

describe('libp2p gossip', () => {
  let world = new TestWorld()
  afterEach(() => world.stop())

  it('names a topic for each deployment', () => {
    assert.equal(topicOf(31337n, address(`0x${'aB'.repeat(20)}`)), `rota/1/31337/0x${'ab'.repeat(20)}`)
  })

  it('forgets bad messages in time', () => {
    let nowMs = 0
    const penalties = new Penalties(() => nowMs)
    assert.equal(penalties.scoreOf('a'), 0)
    for (let count = 0; count < 3; count++) penalties.add('a')
    assert.ok(penalties.scoreOf('a') < UNREAD_SCORE)
    assert.equal(penalties.scoreOf('b'), 0)
    nowMs += 120_000
    assert.ok(penalties.scoreOf('a') > UNREAD_SCORE && penalties.scoreOf('a') < 0)
  })

  it('reaches a member again whose stream broke alone', async () => {
    world = await TestWorld.of(2)
    const [a, b] = world.nodes
    const heard: string[] = []
    await a!.gossip.start(
      () => 'accept',
      () => undefined,
    )
    await b!.gossip.start(
      () => 'accept',
      (message) => heard.push(Buffer.from(message).toString()),
    )
    await until(() => a!.gossip.peers().length === 1, 'they are peers')
    const inside = a!.pubsub() as unknown as Inside
    inside.streamsOutbound.get(b!.network.peerId)!.rawStream.abort(new Error('broken alone'))
    let published = 0
    await until(async () => {
      await a!.gossip.publish(Buffer.from(`try ${++published}`))
      return heard.length > 0
    }, 'it hears again')
    assert.ok(published > 1)
    assert.deepEqual(b!.gossip.peers(), [siteId(0)])
  })

  it('asks nothing of a member of a version that answers no questions, and hears nothing of it', async () => {
    world = await TestWorld.of(2)
    const [a, older] = world.nodes
    await a!.gossip.start(
      () => 'accept',
      () => assert.fail('nobody said anything'),
    )
    const asked = (from: TestNode, to: TestNode) => from.gossip.ask(to.site, Buffer.from('well?'), AbortSignal.timeout(5_000))
    await assert.rejects(asked(a!, older!), (error) => isRotaError(error, 'ROTA-4007'))
    await assert.rejects(asked(older!, a!), (error) => isRotaError(error, 'ROTA-4005'), 'before it listens it asks nobody')
  })
})
