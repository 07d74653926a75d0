import type { Digest } from '#base/ids.ts'
import type { Pinned } from '#core/consent/cohort-proof.ts'
import { type Receipt, showsInclusion } from './receipt.ts'

/** What the hospital cannot say otherwise later: who it is, and the secret whose commitment its receipt has. */
export function pinnedBy(receipt: Receipt): Pinned {
  if (receipt.version === 1) return { site: null, secret: null }
  return { site: receipt.site.id, secret: showsInclusion(receipt) ? ((receipt.inclusion?.map.end?.value as Digest | undefined) ?? null) : null }
}
