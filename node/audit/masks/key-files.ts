import { equalBytes } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import { decodeKeyFile, type NamedDeal } from '#wire/masking/key-file.ts'
import { sha256 } from '../digest.ts'
import type { FaultList } from '../fault-list.ts'
import { fewAtOnce } from '../few-at-once.ts'
import type { RoundInput } from '../round-input.ts'
import { type EventOf, eventsOf } from '../run-log.ts'
import { type Finding, findObject } from '../stored-object.ts'
import type { MaskRound } from './mask-round.ts'
import type { DealIndex, KeyRecord } from './seeds.ts'

/** What the sites of a round keyed with, as far as it is stored and what the chain says of it holds. */
export interface KeyFiles {
  readonly indexes: ReadonlyMap<SiteId, DealIndex>
  readonly records: ReadonlyMap<SiteId, KeyRecord>
  /** Where their parcels are. */
  readonly deals: ReadonlyMap<SiteId, NamedDeal>
}

export async function readKeyFiles(input: RoundInput, masks: MaskRound, key: Uint8Array, faults: FaultList): Promise<KeyFiles> {
  const indexes = new Map<SiteId, DealIndex>()
  const records = new Map<SiteId, KeyRecord>()
  const deals = new Map<SiteId, NamedDeal>()
  const events = eventsOf(input.round, 'Keyed')
  const named = events.map(({ dealCid, dealDigest, site }) => ({ kind: 'masking' as const, cid: dealCid, root: dealDigest, site }))
  const stored = await fewAtOnce(named, (object) => findObject(input.sources, object, key))
  for (const [i, event] of events.entries()) {
    const found = stored[i] as Finding
    faults.object(found, null)
    const file = found.bytes && read(found.bytes, event, masks, faults)
    if (!file) continue
    indexes.set(event.site, file.index)
    records.set(event.site, file.record)
    deals.set(event.site, file.deal)
  }
  return { indexes, records, deals }
}

function read(bytes: Uint8Array, event: EventOf<'Keyed'>, { ctx, modelCtx }: MaskRound, faults: FaultList) {
  const { site } = event
  const object = { object: { kind: 'masking' as const, cid: event.dealCid, site } }
  try {
    const { record, index, deal } = decodeKeyFile(bytes, sha256)
    const isBound = equalBytes(record.ctx, modelCtx) && equalBytes(index.ctx, ctx)
    if (record.site !== site || index.dealer !== site) faults.add('masks', `site ${site} keyed with the deal of site ${record.site}`, object)
    else if (!isBound) faults.add('masks', `site ${site} keyed with a deal of another round, base model or member set`, object)
    else if (record.held !== event.holds) faults.add('masks', `site ${site} keyed with a record of other deals than it told the chain that it holds`, object)
    else return { record, index, deal }
  } catch (error) {
    if (!isRotaError(error)) throw error
    faults.add('masks', `site ${site} keyed with what is no key file: ${error.message}`, object)
  }
  return null
}
