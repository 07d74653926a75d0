import { newestTerms } from '#app/programme/terms-on-chain.ts'
import { cadenceSeconds, cadenceStep, nextCadence } from '#core/consent/terms.ts'
import type { ChainReader, SiteRecord } from '#ports/chain.ts'
import type { Clock } from '#ports/host.ts'
import { rootEvents } from './consent-root.ts'

/** Where a site stands in the cadence of a programme's terms. */
export interface Cadence {
  /** Seconds from step to step. */
  readonly period: number
  /** The step of now, and that of the site's last root; null when it has none. */
  readonly step: number
  readonly lastStep: number | null
  /** No root was put in this step yet. */
  readonly isDue: boolean
  /** When the next step begins, in seconds of chain time. */
  readonly next: number
}

/**
 * Null for a programme without terms: there a root goes on chain when something changed.
 * Now is the chain's time, and the clock's where the chain stands still for want of transactions.
 */
export async function cadenceOf(
  site: { readonly chain: Pick<ChainReader, 'events' | 'head'>; readonly own: Pick<SiteRecord, 'id'> },
  programme: string,
  clock: Pick<Clock, 'nowMs'>,
): Promise<Cadence | null> {
  const newest = await newestTerms(site.chain, programme)
  if (newest === null) return null
  const [head, roots] = await Promise.all([site.chain.head(), rootEvents(site, programme)])
  const now = Math.max(head.timestamp, Math.floor(clock.nowMs() / 1000))
  const last = roots.at(-1)
  const step = cadenceStep(newest.terms, now)
  const lastStep = last === undefined ? null : cadenceStep(newest.terms, last.timestamp)
  return { period: cadenceSeconds(newest.terms), step, lastStep, isDue: lastStep === null || lastStep < step, next: nextCadence(newest.terms, now) }
}
