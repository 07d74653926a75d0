import { has, sitesOf } from '#base/bitmap.ts'
import { equalBytes } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Bitmap, SiteId } from '#base/ids.ts'
import { pairTag } from './commitments.ts'
import type { AgreementKey } from './crypto.ts'
import { pairTagOf } from './deal.ts'
import { hiddenSecret, type KeyRecord } from './key-record.ts'
import { signOf } from './mask.ts'
import { pairKey, pairPad, pairSecret, selfKey } from './pair-key.ts'
import type { Rebuilt, UnmaskInput } from './rebuild.ts'
import { pairSecretFor } from './release.ts'
import { maskKeyOf } from './round-keys.ts'
import { opposite, type Stream } from './words.ts'

/**
 * All masks that stand in the sum of the survivors' words, signed so that adding them gives the plain sum (`addStreams`): the self-masks of
 * the survivors, and what they share with sites that dropped out. Masks between two survivors are gone from the sum already.
 * @param records key records, of the sites that dropped out at least
 * @throws ROTA-2321 naming a site that hid a wrong pair secret, when its neighbour does not tell the right one
 */
export function streamsToRemove(input: UnmaskInput, { seeds }: Rebuilt, records: ReadonlyMap<SiteId, KeyRecord>): Stream[] {
  const { round, graph, survivors, crypto } = input
  const inSum: Stream[] = sitesOf(survivors).map((site) => ({ key: selfKey(round, site, seeds.get(site) as Uint8Array, crypto), sign: 1 }))
  for (const [dropped, seed] of seeds) {
    if (has(survivors, dropped)) continue
    const own = { site: dropped, seed, key: maskKeyOf(seed, crypto) }
    for (const survivor of sitesOf((graph.neighbours(dropped) & survivors) as Bitmap))
      inSum.push({ key: sharedKey(input, own, survivor, records.get(dropped)), sign: signOf(survivor, dropped) })
  }
  return opposite(inSum)
}

interface Dropped {
  readonly site: SiteId
  readonly seed: Uint8Array
  readonly key: AgreementKey
}

function sharedKey(input: UnmaskInput, dropped: Dropped, survivor: SiteId, record: KeyRecord | undefined): Uint8Array {
  const { round, indexes, crypto } = input
  const agreed = dropped.key.agree(indexes.get(survivor)?.maskKey ?? new Uint8Array(0))
  if (agreed === undefined) throw new RotaError('ROTA-2325', { site: survivor })
  const secret = dropped.site < survivor ? pairSecret(round, dropped.site, survivor, dropped.seed, crypto) : secretFrom(input, dropped, survivor, record)
  return pairKey(round, dropped.site, survivor, agreed, secret, crypto)
}

/** The secret that the survivor, below, gave the site that dropped out: as that one hid it, or as the survivor tells it; the survivor's tag says which is right. */
function secretFrom({ round, indexes, releases, crypto }: UnmaskInput, dropped: Dropped, survivor: SiteId, record: KeyRecord | undefined): Uint8Array {
  const index = indexes.get(survivor)
  const tag = index === undefined ? undefined : pairTagOf(index, dropped.site)
  const release = releases.get(survivor)
  const candidates = [
    record === undefined ? undefined : hiddenSecret(record, survivor, pairPad(round, survivor, dropped.site, dropped.seed, crypto)),
    release === undefined ? undefined : pairSecretFor(release, dropped.site),
  ]
  const right = candidates.find(
    (secret) => secret !== undefined && tag !== undefined && equalBytes(pairTag(round, survivor, dropped.site, secret, crypto), tag),
  )
  if (right === undefined)
    throw new RotaError('ROTA-2321', { site: dropped.site, reason: `its key record hides no right secret of the pair with site ${survivor}` })
  return right
}
