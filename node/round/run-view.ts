import type { RunId } from '#base/ids.ts'
import type { ChainEvent, ChainReader, RunView } from '#ports/chain.ts'
import type { Clock } from '#ports/host.ts'
import type { RowName } from './next.ts'

/** So long a view stands at most: an endpoint may lose an event, or announce one before what it says can be read. */
const STANDS_MS = 200

/** Rows that call nobody on the chain. */
const OFF_CHAIN: ReadonlySet<RowName | undefined> = new Set<RowName>(['wait', 'deal', 'prepare', 'release', 'tell-slices'])

/**
 * A run as the chain has it. Nothing of it changes without an event: while none came, what was read before stands, unless this site itself has called the chain
 * since: its last row tells. A node also looks when a member said something, and of that a masked round has twice as much as an open one.
 */
export function watchRun(chain: Pick<ChainReader, 'run' | 'events'>, run: RunId, clock: Pick<Clock, 'nowMs'>): (last?: RowName) => Promise<RunView> {
  let known: { readonly view: RunView; readonly newest: ChainEvent | undefined; readonly atMs: number } | null = null
  return async (last) => {
    const before = known
    // Before the view is: what comes in between is news at the next look.
    const newest = before === null ? undefined : (await chain.events(before.view.round.openedAtBlock)).at(-1)
    const atMs = clock.nowMs()
    const stands = before !== null && OFF_CHAIN.has(last) && isSame(before.newest, newest) && atMs - before.atMs < STANDS_MS
    if (stands) return before.view
    const view = await chain.run(run)
    known = { view, newest, atMs }
    return view
  }
}

const isSame = (a: ChainEvent | undefined, b: ChainEvent | undefined): boolean =>
  a !== undefined && b !== undefined && a.block === b.block && a.index === b.index && a.tx === b.tx
