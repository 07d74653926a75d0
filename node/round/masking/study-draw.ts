import type { Bitmap, Digest, RoundNo, RunId, StudyId } from '#base/ids.ts'
import { type Draw, drawGroups } from '#core/masking/drawn-groups.ts'
import type { ChainEvent } from '#ports/chain.ts'
import { readOn } from '../read-on.ts'
import type { Site } from '../site.ts'

const KINDS = ['RunOpened', 'Frozen', 'RoundClosed', 'Disputed'] as const

/** The round of a study that closed first in its run, and what came of it. */
interface Drawing {
  readonly run: RunId
  readonly round: RoundNo
  readonly root: Digest
  readonly included: Bitmap
}

/**
 * The groups of a study in groups, by the chain's log alone: the first round of a run shows nothing but the salt of its sum, and the first of the study's that
 * closed has drawn its groups, for good. Null before. Each call reads on from where the one before was.
 */
export function watchDraw({ chain, sha256 }: Pick<Site, 'chain' | 'sha256'>, study: StudyId): () => Promise<Draw | null> {
  const read = readOn(chain, { kinds: KINDS })
  let seen = nothingSeen()
  let known: { readonly by: Drawing; readonly draw: Draw } | null = null
  return async () => {
    const { events, anew } = await read()
    if (anew) seen = nothingSeen()
    for (const event of events) take(seen, study, event)
    const [first] = seen.drawings
    if (first !== undefined && known?.by !== first) known = { by: first, draw: drawGroups(first.root, first.included, sha256) }
    return first === undefined ? null : (known?.draw ?? null)
  }
}

interface Seen {
  /** Of the study's runs the set that was frozen last. */
  readonly frozen: Map<RunId, Bitmap | null>
  /** In the order in which they closed; a dispute strikes one out. */
  drawings: readonly Drawing[]
}

const nothingSeen = (): Seen => ({ frozen: new Map(), drawings: [] })

function take(seen: Seen, study: StudyId, event: ChainEvent): void {
  if (event.kind === 'RunOpened' && event.study === study) seen.frozen.set(event.run, null)
  if (!('run' in event) || !seen.frozen.has(event.run)) return
  const { run } = event
  if (event.kind === 'Frozen') seen.frozen.set(run, event.included)
  if (event.kind === 'Disputed') seen.drawings = seen.drawings.filter((one) => one.run !== run || one.round !== event.round)
  const included = seen.frozen.get(run)
  if (event.kind === 'RoundClosed' && included != null && !seen.drawings.some((one) => one.run === run))
    seen.drawings = [...seen.drawings, { run, round: event.round, root: event.modelRoot, included }]
}
