import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { isRotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import { type Gossip, QUESTION_LIMIT_BYTES } from '#ports/gossip.ts'
import { MESSAGE_LIMIT_BYTES } from '#wire/announce.ts'

/** Four sites that are members of each other and connected; none has called `start` yet. */
export interface GossipWorld {
  readonly sites: readonly { readonly site: SiteId; readonly gossip: Gossip }[]
  /** Takes a site off every other member's list. */
  remove(site: SiteId): void | Promise<void>
  /** Somebody who knows all members, and whom no member knows. */
  stranger(): Promise<Gossip>
  /** Lets the world go on until it holds. @throws when it never does */
  until(condition: () => boolean, what: string): Promise<void>
  /** Lets so much time pass that whatever could arrive has arrived. */
  settle(): Promise<void>
  /** Below 0: what `at` thinks of `of` after bad messages. Only where an implementation keeps scores. */
  score?(at: SiteId, of: SiteId): number
  stop(): Promise<void>
}

interface Heard {
  readonly text: string
  readonly from: SiteId
}

type Verdict = 'accept' | 'ignore' | 'reject'

/**
 * given four members that are connected
 * ├── when one publishes, it reaches every other one, once, with its sender, and not itself
 * ├── when a judge ignores or rejects, nothing is delivered there, and others are not affected
 * ├── when a message is over the limit, it is refused with ROTA-4002 and reaches nobody; one of the limit passes
 * ├── when a stranger publishes or listens, it is not heard and hears nothing
 * ├── when one asks another, what that one answers is delivered to it alone, with its author, and judged as any message
 * ├── when a stranger asks, a question is too long, or there is nothing to say, it is not answered: ROTA-4005
 * ├── when a member sends what is rejected, its score falls, until nothing of it is read
 * ├── when a member is removed, it is not heard, hears nothing, and is no peer any more
 * └── when one stops, nothing is delivered to it
 */
export function gossipCompliance(name: string, makeWorld: () => Promise<GossipWorld>): void {
  describe(`gossip: ${name}`, () => {
    let world: GossipWorld
    const heard: Heard[][] = []
    let verdicts: ((text: string, at: number) => Verdict) | null = null

    before(async () => {
      world = await makeWorld()
      for (const [index, { gossip }] of world.sites.entries()) {
        heard[index] = []
        await gossip.start(
          (message) => verdicts?.(textOf(message), index) ?? 'accept',
          (message, from) => heard[index]!.push({ text: textOf(message), from }),
          (question, from) => (textOf(question) === 'nothing' ? null : bytesOf(`${textOf(question)}, site ${from}`)),
        )
      }
      await world.until(() => world.sites.every(({ gossip }) => gossip.peers().length === world.sites.length - 1), 'all are peers')
    })
    after(() => world?.stop())

    const site = (index: number) => world.sites[index]!
    const countOf = (index: number, text: string) => heard[index]!.filter((message) => message.text === text).length
    const arrives = (text: string, at: readonly number[]) => world.until(() => at.every((index) => countOf(index, text) > 0), `${text} arrives`)

    it('reaches every other member once, with its sender, and not itself', async () => {
      assert.equal(await site(0).gossip.publish(bytesOf('to all')), 3)
      await arrives('to all', [1, 2, 3])
      await world.settle()
      assert.deepEqual(
        [0, 1, 2, 3].map((index) => countOf(index, 'to all')),
        [0, 1, 1, 1],
      )
      assert.equal(heard[1]!.find(({ text }) => text === 'to all')?.from, site(0).site)
      assert.ok(site(0).gossip.traffic.bytesOut >= 3 * 'to all'.length)
      assert.ok(site(1).gossip.traffic.bytesIn >= 'to all'.length)
    })

    it('delivers nothing that the judge ignores or rejects', async () => {
      verdicts = (text, at) => (at === 1 && text === 'judged' ? 'ignore' : at === 2 && text === 'judged' ? 'reject' : 'accept')
      await site(0).gossip.publish(bytesOf('judged'))
      await arrives('judged', [3])
      await world.settle()
      assert.deepEqual([countOf(1, 'judged'), countOf(2, 'judged')], [0, 0])
      verdicts = null
    })

    it('refuses 8 MB, and anything over the limit, with ROTA-4002', async () => {
      for (const size of [8_000_000, MESSAGE_LIMIT_BYTES + 1]) {
        await assert.rejects(site(0).gossip.publish(new Uint8Array(size)), (error) => isRotaError(error, 'ROTA-4002') && error.details['size'] === size)
      }
      const largest = 'x'.repeat(MESSAGE_LIMIT_BYTES)
      await site(0).gossip.publish(bytesOf(largest))
      await arrives(largest, [1, 2, 3])
    })

    it('neither hears strangers nor talks to them', async () => {
      const stranger = await world.stranger()
      const overheard: string[] = []
      await stranger.start(
        () => 'accept',
        (message) => overheard.push(textOf(message)),
      )
      await world.settle()
      await stranger.publish(bytesOf('let me in'))
      await site(1).gossip.publish(bytesOf('among us'))
      await arrives('among us', [0, 2, 3])
      await world.settle()
      assert.deepEqual(overheard, [])
      assert.deepEqual(
        [0, 1, 2, 3].map((index) => countOf(index, 'let me in')),
        [0, 0, 0, 0],
      )
      await stranger.stop()
    })

    it('asks one member, and judges what it answers', async () => {
      const asked = (at: number, question: string, by = site(0).gossip) => by.ask(site(at).site, bytesOf(question), AbortSignal.timeout(10_000))
      verdicts = (text) => (text.startsWith('ill') ? 'ignore' : 'accept')
      await asked(2, 'well')
      await asked(2, 'ill')
      await world.settle()
      assert.deepEqual(
        heard[0]!.filter(({ text }) => text.includes(', site')).map(({ text, from }) => [text, from]),
        [[`well, site ${site(0).site}`, site(2).site]],
      )
      assert.deepEqual(
        [1, 2, 3].map((index) => heard[index]!.filter(({ text }) => text.includes(', site')).length),
        [0, 0, 0],
      )
      verdicts = null
      const isUnanswered = (error: unknown) => isRotaError(error, 'ROTA-4005')
      await assert.rejects(asked(2, 'nothing'), isUnanswered)
      await assert.rejects(asked(2, 'x'.repeat(QUESTION_LIMIT_BYTES + 1)), isUnanswered)
      const stranger = await world.stranger()
      await stranger.start(
        () => 'accept',
        () => assert.fail('a stranger is told something'),
        () => bytesOf('believe me'),
      )
      await assert.rejects(asked(2, 'well', stranger), isUnanswered)
      await world.settle()
      await stranger.stop()
      await assert.rejects(site(0).gossip.ask(site(2).site, bytesOf('well'), AbortSignal.abort(new Error('enough'))), /enough/)
    })

    it('lets rejected messages cost their sender', async (t: TestContext) => {
      const score = world.score
      if (score === undefined) return t.skip('this implementation keeps no scores')
      const before = score(site(0).site, site(3).site)
      let judged = 0
      verdicts = (text, at) => (at === 0 && text.startsWith('bad') && ++judged > 0 ? 'reject' : 'accept')
      for (let count = 1; count <= 3; count++) {
        await site(3).gossip.publish(bytesOf(`bad ${count}`))
        await arrives(`bad ${count}`, [1, 2])
      }
      await world.until(() => score(site(0).site, site(3).site) < before - 80, 'the score falls')
      let read = true
      for (let more = 1; more <= 8 && read; more++) {
        const soFar = judged
        await site(3).gossip.publish(bytesOf(`bad more ${more}`))
        await arrives(`bad more ${more}`, [1, 2])
        await world.settle()
        read = judged > soFar
      }
      assert.equal(read, false, 'its messages are not read any more')
      assert.deepEqual([score(site(0).site, site(1).site), score(site(0).site, site(2).site)], [0, 0], 'those who passed them on are not blamed')
      verdicts = null
    })

    it('cuts off a member that is removed', async () => {
      await world.remove(site(3).site)
      await world.until(() => [0, 1, 2].every((index) => !site(index).gossip.peers().includes(site(3).site)), 'it is no peer')
      await site(3).gossip.publish(bytesOf('still there?'))
      await site(0).gossip.publish(bytesOf('not for you'))
      await arrives('not for you', [1, 2])
      await world.settle()
      assert.equal(countOf(3, 'not for you'), 0)
      assert.deepEqual(
        [0, 1, 2].map((index) => countOf(index, 'still there?')),
        [0, 0, 0],
      )
    })

    it('delivers nothing after stop', async () => {
      await site(2).gossip.stop()
      await site(0).gossip.publish(bytesOf('anyone?'))
      await arrives('anyone?', [1])
      await world.settle()
      assert.equal(countOf(2, 'anyone?'), 0)
    })
  })
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
