import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { outlineOf } from '#core/commit/outline.ts'
import { TestWorld, until } from './world.ts'

/**
 * given one site with a port and two that only dial out
 * ├── when they start, those two are connected through the first
 * ├── when one publishes, it reaches the other
 * └── when one has an object of 5 MB (the default relay ends a transfer after 128 KiB), the other gets it whole, and only through the relay
 */
describe('sites without a port', () => {
  let world: TestWorld
  before(async () => {
    world = await TestWorld.of(3, { network: (site) => (site === 0 ? {} : { listen: [] }) })
  })
  after(() => world.stop())
  const key = randomBytes(32)

  it('are connected through a relay among the members', async () => {
    const [relay, a, b] = world.nodes
    assert.deepEqual(
      [a!.network.addresses(), b!.network.addresses()].flat().filter((address) => !address.includes('/p2p-circuit')),
      [],
    )
    assert.deepEqual(a!.network.connected(), [relay!.site, b!.site])
    assert.equal((await a!.network.hello(b!.site, AbortSignal.timeout(3_000))).softwareVersion, '0.1.0')
  })

  it('hear each other', async () => {
    const heard: string[] = []
    for (const node of world.nodes)
      await node.gossip.start(
        () => 'accept',
        (message, from) => heard.push(`${from}>${node.site} ${Buffer.from(message)}`),
      )
    await until(() => world.nodes.every((node) => node.gossip.peers().length === 2), 'all are peers')
    assert.equal(await world.nodes[1]!.gossip.publish(Buffer.from('hello')), 2)
    await until(() => heard.length === 2, 'both heard it')
    await sleep(200)
    assert.deepEqual(heard.sort(), ['1>0 hello', '1>2 hello'])
  })

  it('get objects from each other', async () => {
    const [relay, a, b] = world.nodes
    const bytes = randomBytes(5_000_000)
    const outline = outlineOf(bytes, (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest())
    const ref = await a!.store.put(bytes, outline, 'update', key, AbortSignal.timeout(10_000))
    const before = relay!.network.traffic.bytesOut
    assert.ok(bytes.equals(await b!.store.get(ref, key, AbortSignal.timeout(20_000), [a!.site])))
    assert.ok(relay!.network.traffic.bytesOut - before > 5_000_000)
    assert.equal(await relay!.store.has(ref.cid), false)
  })
})
