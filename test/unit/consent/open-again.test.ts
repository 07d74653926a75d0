import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { openHaltedAgain } from '#app/node/open-again.ts'
import { noteOpenedRun, openedRuns } from '#app/node/opened-runs.ts'
import { digest, runId, siteId, studyId } from '#base/ids.ts'
import { ABSTAIN_REASONS, type AbstainReason, type ChainEvent, type RunState } from '#ports/chain.ts'

// given runs that this site opened
// ├── one that a withdrawal halted is opened again, once, where that was asked for; the next one in its place too
// └── one that was halted otherwise, goes on, or has a successor already, and one for which nobody asked, are let alone

const ROOT = digest(`0x${'11'.repeat(32)}`)
const quiet = { info: () => undefined }

/** The runs of a chain as far as they are read here. */
function chainOf(states: readonly (RunState | AbstainReason)[]) {
  const runs = [...states]
  const stateOf = (state: RunState | AbstainReason): RunState => (ABSTAIN_REASONS.includes(state as AbstainReason) ? 'Halted' : (state as RunState))
  return {
    runs: async () => runs.map((state, i) => ({ run: runId(i + 1), study: studyId(1), state: stateOf(state) })),
    events: async (_: number, filter?: { readonly run?: number }) =>
      runs.flatMap((state, i): ChainEvent[] => {
        const said = { kind: 'RunStateChanged', run: runId(i + 1), state: stateOf(state), site: siteId(1), reason: ABSTAIN_REASONS.indexOf(state as never) }
        return filter?.run === i + 1 ? [said as unknown as ChainEvent] : []
      }),
    openRun: async () => runId(runs.push('Active')),
    halt: (state: RunState | AbstainReason) => void runs.splice(-1, 1, state),
    count: () => runs.length,
  }
}

it('a run that a withdrawal halted is opened again where that was asked for', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'rota-again-'))
  const file = join(dir, 'opened.json')
  const noted = { run: runId(1), study: studyId(1), model: { root: ROOT, cid: ROOT } }
  const look = async (chain: ReturnType<typeof chainOf>): Promise<number> => {
    await openHaltedAgain(file, chain as never, quiet)
    return chain.count()
  }
  try {
    await noteOpenedRun(file, noted)
    assert.equal(await look(chainOf(['cohortChanged'])), 1, 'nobody asked')
    await noteOpenedRun(file, { ...noted, again: true })
    for (const state of ['Active', 'Finished', 'maintenance', 'unspecified'] as const) assert.equal(await look(chainOf([state])), 1, state)
    assert.equal(await look(chainOf(['cohortChanged', 'Active'])), 2, 'somebody opened one since')
    const chain = chainOf(['cohortChanged'])
    assert.deepEqual([await look(chain), await look(chain)], [2, 2])
    chain.halt('cohortChanged')
    assert.equal(await look(chain), 3)
    assert.deepEqual(
      (await openedRuns(file)).map(({ run, again }) => [run, again]),
      [1, 2, 3].map((run) => [run, true]),
    )
  } finally {
    await rm(dir, { recursive: true })
  }
})
