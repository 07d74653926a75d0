import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { digestOf } from '#adapters/sim/hash.ts'
import { SimJournal } from '#adapters/sim/journal.ts'
import { bitmapOf } from '#base/bitmap.ts'
import { roundNo, runId, siteId } from '#base/ids.ts'
import type { Model } from '#core/model/model.ts'
import type { RunView, StudyRecord } from '#ports/chain.ts'
import { isHeldBack } from '#round/held-back.ts'
import type { Play } from '#round/play.ts'

// given a masked study of five, whose last sum was refused
// ├── a site waits for people
// ├── once its operators announced maintenance it goes on, and so it does when its node starts again and its journal was shortened
// ├── the next refusal is another matter
// └── where it was refused for a site's false shares, that site alone waits

const run = runId(1)
const ROOT = digestOf('a model whose round was refused')
const THIRD = digestOf('refused for shares')
const OTHER = digestOf('refused once more')
const record = { approved: bitmapOf([0, 1, 2, 3, 4].map(siteId)) } as StudyRecord
const viewOf = (root: typeof ROOT): RunView => ({ run, state: 'Paused', model: { root }, round: { round: roundNo(4) } }) as RunView

describe('who waits for people after a refused sum', () => {
  const journal = new SimJournal([])
  /** A node's memory, from its start on. */
  const isHeld = (root: typeof ROOT, resting: boolean, model: Partial<Model> = { refusals: 1 }, me = 0): Promise<boolean> =>
    isHeldBack(
      {
        run,
        base: { root, model },
        masked: null,
        study: { protocol: { mode: 'masked' } },
        site: { id: siteId(me), journal, resting: () => resting, chain: { events: async () => [] } },
      } as unknown as Play,
      viewOf(root),
      record,
    )

  it('waits', async () => assert.equal(await isHeld(ROOT, false), true))

  it('goes on when operators said so, and after a restart', async () => {
    assert.equal(await isHeld(ROOT, true), false)
    assert.equal(await isHeld(ROOT, false), false)
    await journal.compact(run, roundNo(9))
    assert.equal(await isHeld(ROOT, false), false)
    assert.equal(journal.entries().length, 1)
  })

  it('waits again after the next refusal', async () => assert.equal(await isHeld(OTHER, false), true))

  it('goes on where it was a site with false shares, but for that one', async () => {
    for (const refusals of [0, 1]) {
      const model = { refusals, leftOut: { sites: [3], refusals } }
      assert.equal(await isHeld(THIRD, false, model), false)
      assert.equal(await isHeld(THIRD, false, model, 3), true)
    }
    assert.equal(await isHeld(THIRD, false, { refusals: 1, leftOut: { sites: [3], refusals: 0 } }), true)
    // For the rest of the run its journal says so, when the model does not any more; of another run it says nothing.
    await journal.append({ kind: 'leftOut', run, round: roundNo(4), sites: bitmapOf([siteId(2)]) })
    await journal.append({ kind: 'leftOut', run: runId(2), round: roundNo(4), sites: bitmapOf([siteId(1)]) })
    await journal.compact(run, roundNo(9))
    assert.deepEqual([await isHeld(THIRD, false, { refusals: 0 }, 2), await isHeld(THIRD, false, { refusals: 0 }, 1)], [true, false])
  })
})
