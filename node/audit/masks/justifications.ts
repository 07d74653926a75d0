import { sitesOf } from '#base/bitmap.ts'
import { equalBytes, fromHex } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import { decodeDealFile } from '#wire/masking/deal-file.ts'
import { decodeJustification } from '#wire/masking/justification.ts'
import { decodeParcel } from '#wire/masking/parcel.ts'
import { sha256 } from '../digest.ts'
import type { FaultList } from '../fault-list.ts'
import { rootOf } from '../merkle-tree.ts'
import { eventsOf, type RoundLog } from '../run-log.ts'
import { shareCommitmentOf } from './mask-keys.ts'
import type { KeyedEvent, MaskRound, ShownBefore } from './mask-round.ts'

/** By dealer, what it showed for those who did not hold its deal, as far as it is the deal that it keyed with, and these are the shares to which that is bound. */
export function readJustifications(round: Pick<RoundLog, 'events'>, masks: MaskRound, faults: FaultList): ReadonlyMap<SiteId, ShownBefore> {
  const keyed = new Map(eventsOf(round, 'Keyed').map((event) => [event.site, event]))
  const found = new Map<SiteId, ShownBefore>()
  for (const { site, justification } of eventsOf(round, 'Justified')) {
    const said = keyed.get(site)
    if (justification === '0x' || said === undefined) continue
    const shares = sharesIn(justification, masks, said)
    if (shares !== null) found.set(site, shares)
    else faults.note(`site ${site} showed shares, before anybody masked, that are not of the deal that it keyed with`)
  }
  return found
}

function sharesIn(justification: string, masks: MaskRound, { site, dealDigest }: KeyedEvent): ShownBefore | null {
  try {
    const { file, shares } = decodeJustification(fromHex(justification))
    const { index, parcels } = decodeDealFile(file)
    if (rootOf(file) !== dealDigest || index.dealer !== site || !equalBytes(index.ctx, masks.ctx) || index.to !== masks.members) return null
    const holders = sitesOf(index.to)
    for (const { holder, parcel, mask, self } of shares) {
      const place = holders.indexOf(holder)
      const named = index.parcels[place]
      const bytes = parcels[place] ?? parcel
      if (named === undefined || !equalBytes(parcels[place] ? sha256(bytes) : objectName(bytes), named)) return null
      const { maskCommitment, selfCommitment } = decodeParcel(bytes)
      const isRight = (kind: 'self' | 'mask', share: Uint8Array, committed: Uint8Array): boolean =>
        equalBytes(shareCommitmentOf(kind, masks, site, holder, share), committed)
      if (!isRight('mask', mask, maskCommitment) || !isRight('self', self, selfCommitment)) return null
    }
    return new Map(shares.map(({ holder, mask, self }) => [holder, { mask, self }]))
  } catch (error) {
    if (isRotaError(error)) return null
    throw error
  }
}

/** Of a parcel that is an object of its own: its CID is of a dag-pb node that links to it as one raw block, with its length thrice, in protobuf's variable-length numbers. */
function objectName(bytes: Uint8Array): Uint8Array {
  const { length } = bytes
  const size = length < 128 ? [length] : [(length & 127) | 128, length >> 7]
  const link = [10, 36, 1, 0x55, 18, 32, ...sha256(bytes), 18, 0, 24, ...size]
  const data = [8, 2, 24, ...size, 32, ...size]
  return sha256(Uint8Array.of(18, link.length, ...link, 10, data.length, ...data))
}
