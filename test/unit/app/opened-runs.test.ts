import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { noteOpenedRun, reopenLostRuns } from '#app/node/opened-runs.ts'
import { isRotaError } from '#base/errors.ts'
import { digest, runId, studyId } from '#base/ids.ts'

const ROOT = digest(`0x${'11'.repeat(32)}`)
const model = { root: ROOT, cid: ROOT }
const quiet = { info() {}, warn() {}, error() {}, debug() {} }

/** A chain that has so many runs, and notes what is opened. */
function chainWith(count: number) {
  const opened: number[] = []
  const runs = () => Array.from({ length: count + opened.length }, (_, i) => ({ run: runId(i + 1), study: studyId(1), state: 'Active' as const }))
  return {
    opened,
    runs: async () => runs(),
    openRun: async (study: number) => {
      opened.push(study)
      return runId(count + opened.length)
    },
  }
}

describe('runs that this site opened', () => {
  let dir = ''
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'rota-opened-'))
  })
  after(() => rm(dir, { recursive: true, force: true }))

  it('are opened again, in order, when the chain has lost them, and else not', async () => {
    const file = join(dir, 'opened.json')
    await noteOpenedRun(file, { run: runId(3), study: studyId(1), model })
    await noteOpenedRun(file, { run: runId(4), study: studyId(2), model })
    for (const [has, again] of [
      [2, [1, 2]],
      [3, [2]],
      [4, []],
      [0, []],
    ] as const) {
      const chain = chainWith(has)
      await reopenLostRuns(file, chain, quiet)
      assert.deepEqual(chain.opened, again, `with ${has} runs on chain`)
    }
  })

  it('are not forgotten where the disk does not give them', async () => {
    await assert.rejects(noteOpenedRun(dir, { run: runId(3), study: studyId(1), model }), (error) => isRotaError(error, 'ROTA-1306'))
  })

  it('are none where nothing was opened', async () => {
    const chain = chainWith(0)
    await reopenLostRuns(join(dir, 'none.json'), chain, quiet)
    assert.deepEqual(chain.opened, [])
  })
})
