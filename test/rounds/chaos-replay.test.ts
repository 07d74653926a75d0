import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { playSeed } from '../../scripts/chaos/play-seed.ts'
import { addUp, reportOf } from '../../scripts/chaos/report.ts'
import { storyOf } from '../../scripts/chaos/story.ts'

// given a seed
// ├── when it is played twice, all that is recorded is the same, byte for byte
// ├── when another is played, it is another run
// └── when its story is told, it says what was drawn, who led, and how each round ended

/** All of a record as text: maps, big numbers and bytes included. */
const text = (record: unknown): string =>
  JSON.stringify(record, (_, value) => {
    if (value instanceof Map) return [...value]
    if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
    return typeof value === 'bigint' ? `${value}n` : value
  })

describe('a seed of chaos', () => {
  // 27: large vectors in slices, and lies about them.
  for (const seed of [7, 27, 143])
    it(`${seed} plays the same run each time`, async () => {
      const [first, second] = [text(await playSeed(seed)), text(await playSeed(seed))]
      assert.ok(first.length > 10_000)
      assert.equal(first === second, true, 'two replays differ')
    })

  it('plays another run than another seed', async () => {
    const [first, second] = [await playSeed(7, 4), await playSeed(9, 4)]
    assert.notEqual(text(first.events), text(second.events))
  })

  it('has a story', async () => {
    const record = await playSeed(143)
    const story = storyOf(record, [{ invariant: 'noRoundLost', what: 'planted' }])
    for (const part of [
      /^Seed 143: \d sites/,
      /round 1 opens: site \d leads/,
      /contributes/,
      /is frozen: \{/,
      /publishes sum/,
      /closes with model/,
      /!! site/,
      /BROKEN noRoundLost: planted/,
    ])
      assert.match(story, part)
    assert.ok(
      record.draw.plan.disturbances.every(({ kind }) => story.includes(kind)),
      'what was drawn is told',
    )
  })

  it('is counted', async () => {
    const reports = [
      reportOf(await playSeed(3)),
      { ...reportOf(await playSeed(4)), broken: [{ invariant: 'noRoundLost', what: 'planted' }] as const, roundsLost: 1 },
    ]
    const { failing, ...counts } = addUp(reports)
    assert.deepEqual(failing, [4])
    assert.deepEqual({ seeds: counts.seeds, lost: counts.roundsLost, broken: counts.invariantsBroken }, { seeds: 2, lost: 1, broken: 1 })
    assert.ok(counts.roundsClosed > 0 && counts.roundsOpened >= counts.roundsClosed)
  })
})
