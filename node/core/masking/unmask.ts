import { has, sitesOf } from '#base/bitmap.ts'
import { RotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import type { AgreementKey } from './crypto.ts'
import type { Masks } from './graph.ts'
import { signOf } from './mask.ts'
import { pairKey, pairSecret, selfKey } from './pair-key.ts'
import { type Rebuilt, secretBelow, type UnmaskInput } from './rebuild.ts'
import { maskKeyOf } from './round-keys.ts'
import { opposite, type Stream } from './words.ts'

/**
 * All masks that stand in the sum of the survivors' words, signed so that adding them gives the plain sum (`addStreams`): the self-masks of
 * the survivors, and what they share with sites that dropped out. Masks between two survivors are gone from the sum already.
 * @param rebuilt no disproofs
 * @param masks who shares masks with whom: all of the graph, or groups of it
 */
export function streamsToRemove(input: UnmaskInput, { seeds }: Pick<Rebuilt, 'seeds'>, masks: Masks = input.graph): Stream[] {
  const { round, survivors, crypto } = input
  const inSum: Stream[] = sitesOf(survivors).map((site) => ({ key: selfKey(round, site, seeds.get(site) as Uint8Array, crypto), sign: 1 }))
  for (const [dropped, seed] of seeds) {
    if (has(survivors, dropped)) continue
    const own = { site: dropped, seed, key: maskKeyOf(seed, crypto) }
    for (const survivor of sitesOf(masks.neighbours(dropped)).filter((site) => has(survivors, site)))
      inSum.push({ key: sharedKey(input, own, survivor), sign: signOf(survivor, dropped) })
  }
  return opposite(inSum)
}

interface Dropped {
  readonly site: SiteId
  readonly seed: Uint8Array
  readonly key: AgreementKey
}

function sharedKey(input: UnmaskInput, { site, seed, key }: Dropped, survivor: SiteId): Uint8Array {
  const { round, indexes, crypto } = input
  const agreed = key.agree(indexes.get(survivor)?.maskKey ?? new Uint8Array(0))
  if (agreed === undefined) throw new RotaError('ROTA-2325', { site: survivor })
  // Held against its tag when the seed was rebuilt.
  const secret = site < survivor ? pairSecret(round, site, survivor, seed, crypto) : (secretBelow(input, survivor, site, seed) as Uint8Array)
  return pairKey(round, site, survivor, agreed, secret, crypto)
}
