import { readIfThere, writeAtomic } from '#adapters/journal/atomic-file.ts'
import { type Digest, isDigest, type RunId, runId, type StudyId, studyId } from '#base/ids.ts'
import type { Chain, ModelRef } from '#ports/chain.ts'
import type { Log } from '#ports/host.ts'

/** A run that this site opened, so that its node can open it again when the chain has lost the block. */
export interface OpenedRun {
  readonly run: RunId
  readonly study: StudyId
  readonly model: ModelRef
  /** Where a withdrawal halts it, another is opened by the node: `openHaltedAgain`. */
  readonly again?: boolean
}

/** The last few are enough: a chain that goes back loses seconds. */
const KEPT = 16

export async function noteOpenedRun(file: string, opened: OpenedRun): Promise<void> {
  const earlier = (await openedRuns(file)).filter(({ run }) => run < opened.run)
  await writeAtomic(file, `${JSON.stringify([...earlier, opened].slice(-KEPT))}\n`)
}

/** @throws ROTA-1306 when the disk refuses: the list would be written anew without them */
export async function openedRuns(file: string): Promise<readonly OpenedRun[]> {
  const text = (await readIfThere(file))?.toString() ?? '[]'
  const entries = JSON.parse(text) as readonly { run: number; study: number; model: { root: string; cid: string }; again?: boolean }[]
  return entries.flatMap(({ run, study, model: { root, cid }, again }) =>
    isDigest(root) && isDigest(cid)
      ? [{ run: runId(run), study: studyId(study), model: { root: root as Digest, cid: cid as Digest }, ...(again === true ? { again } : {}) }]
      : [],
  )
}

/**
 * Opens again, in their order, what the chain has lost. A run that somebody else opened under the same number meanwhile
 * stands: then this one is not opened again, and a person says whether it still should be.
 */
export async function reopenLostRuns(file: string, chain: Pick<Chain, 'runs' | 'openRun'>, log: Log): Promise<void> {
  for (const { run, study, model } of await openedRuns(file)) {
    if ((await chain.runs()).length !== run - 1) continue
    const again = await chain.openRun(study, model)
    log.warn('run.opened-again', { run: again, study })
  }
}
