import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { digestOf } from '#adapters/sim/hash.ts'
import { SimJournal } from '#adapters/sim/journal.ts'
import { bitmapOf } from '#base/bitmap.ts'
import { roundNo, runId, siteId } from '#base/ids.ts'
import type { RunView, StudyRecord } from '#ports/chain.ts'
import { isHeldBack } from '#round/held-back.ts'
import type { Play } from '#round/play.ts'

// given a masked study of five, whose last sum was refused
// ├── a site waits for people
// ├── once its operators announced maintenance it goes on, and so it does when its node starts again and its journal was shortened
// └── the next refusal is another matter

const run = runId(1)
const ROOT = digestOf('a model whose round was refused')
const OTHER = digestOf('refused once more')
const record = { approved: bitmapOf([0, 1, 2, 3, 4].map(siteId)) } as StudyRecord
const viewOf = (root: typeof ROOT): RunView => ({ run, state: 'Paused', model: { root }, round: { round: roundNo(4) } }) as RunView

describe('who waits for people after a refused sum', () => {
  const journal = new SimJournal([])
  /** A node's memory, from its start on. */
  const isHeld = (root: typeof ROOT, resting: boolean): Promise<boolean> =>
    isHeldBack(
      {
        run,
        base: { root, model: { refusals: 1 } },
        masked: null,
        study: { protocol: { mode: 'masked' } },
        site: { journal, resting: () => resting, chain: { events: async () => [] } },
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
})
