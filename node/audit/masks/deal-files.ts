import { equalBytes } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import { type DealFile, decodeDealFile } from '#wire/masking/deal-file.ts'
import type { FaultList } from '../fault-list.ts'
import { fewAtOnce } from '../few-at-once.ts'
import type { RoundInput } from '../round-input.ts'
import { type EventOf, eventsOf } from '../run-log.ts'
import { type Finding, findObject } from '../stored-object.ts'
import type { MaskEdges, MaskRound } from './mask-round.ts'

/** What the sites of a round keyed with, as far as it is stored and what the chain says of it holds. */
export type DealFiles = ReadonlyMap<SiteId, DealFile>

/** @param edges who shares masks: of whoever shares none nothing is needed, and what it keyed with is its own affair */
export async function readDealFiles(input: RoundInput, masks: MaskRound, edges: MaskEdges, key: Uint8Array, faults: FaultList): Promise<DealFiles> {
  const files = new Map<SiteId, DealFile>()
  const events = eventsOf(input.round, 'Keyed').filter(({ site }) => edges.has(site))
  const named = events.map(({ dealCid, dealDigest, site }) => ({ kind: 'masking' as const, cid: dealCid, root: dealDigest, site }))
  const stored = await fewAtOnce(named, (object) => findObject(input.sources, object, key))
  for (const [i, event] of events.entries()) {
    const found = stored[i] as Finding
    faults.object(found, null)
    const file = found.bytes && read(found.bytes, event, masks, faults)
    if (file) files.set(event.site, file)
  }
  return files
}

function read(bytes: Uint8Array, event: EventOf<'Keyed'>, { ctx, members }: MaskRound, faults: FaultList): DealFile | null {
  const { site } = event
  const object = { object: { kind: 'masking' as const, cid: event.dealCid, site } }
  try {
    const file = decodeDealFile(bytes)
    const { index } = file
    const isBound = equalBytes(index.ctx, ctx) && index.to === members
    if (index.dealer !== site) faults.add('masks', `site ${site} keyed with the deal of site ${index.dealer}`, object)
    else if (!isBound) faults.add('masks', `site ${site} keyed with a deal of another round, key epoch or member set`, object)
    else return file
  } catch (error) {
    if (!isRotaError(error)) throw error
    faults.add('masks', `site ${site} keyed with what is no deal: ${error.message}`, object)
  }
  return null
}
