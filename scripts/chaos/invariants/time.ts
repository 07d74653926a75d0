import { has } from '#base/bitmap.ts'
import type { SiteId } from '#base/ids.ts'
import type { ChainEvent } from '#ports/chain.ts'
import type { RunRecord } from '../record.ts'

/** When each event of the log that stands was made, by the world's clock. */
export function momentsOf(record: RunRecord): (event: ChainEvent) => number {
  const moments = new Map(record.said.map(({ atMs, event }) => [`${event.tx}/${event.index}`, atMs]))
  return (event) => moments.get(`${event.tx}/${event.index}`) ?? 0
}

/** Honest sites that were in no trouble from one moment to another. */
export const soundBetween = (record: RunRecord, fromMs: number, toMs: number): SiteId[] =>
  record.honest.filter((site) => !record.casualties.some((c) => c.site === site && c.fromMs <= toMs && c.toMs >= fromMs))

export const outageBetween = (record: RunRecord, fromMs: number, toMs: number): boolean =>
  record.outages.some((outage) => outage.fromMs <= toMs && outage.toMs >= fromMs)

/** Honest sites that are members to the end, and whose nodes do not rightly wait for a person then. */
export const stayingOf = ({ honest, gone, stopped, up }: RunRecord): SiteId[] =>
  honest.filter((site) => !gone.includes(site) && !(stopped.some((stop) => stop.site === site) && !has(up, site)))

/** From when on nobody was in trouble any more but those who lie or have left; infinite when somebody still is. */
export function calmFromMs(record: RunRecord): number {
  const staying = stayingOf(record)
  const ends = [...record.casualties.filter(({ site }) => staying.includes(site)), ...record.outages].map(({ toMs }) => toMs)
  return Math.max(0, ...ends)
}
