import type { RunId, SiteId } from '#base/ids.ts'
import { ABSTAIN_REASONS, type AbstainReason, type ChainEvent } from '#ports/chain.ts'

/** Who halted a run, and why; null: nobody did. */
export function haltedBy(events: readonly ChainEvent[], run: RunId): { readonly site: SiteId | null; readonly reason: AbstainReason } | null {
  const last = events.findLast((e) => e.kind === 'RunStateChanged' && e.run === run)
  if (last?.kind !== 'RunStateChanged' || last.state !== 'Halted') return null
  return { site: last.site, reason: ABSTAIN_REASONS[last.reason] ?? 'unspecified' }
}
