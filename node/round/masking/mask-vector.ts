import { RotaError } from '#base/errors.ts'
import type { Bitmap } from '#base/ids.ts'
import { checkPlace } from '#core/masking/graph.ts'
import { type MaskedVector, mask, streamsOf } from '#core/masking/mask.ts'
import type { RingVector } from '#core/ring/vectors.ts'
import type { Play, Round } from '../play.ts'
import { isMasked, maskedOf } from './masked-round.ts'

/**
 * Nothing leaves a site of a masked study without all of its masks. In an open study the vector as it is.
 * @throws ROTA-2328 (retry) when a mask is lacking: nothing is sent then
 */
export function maskVector(play: Play, round: Round, ring: RingVector): RingVector | MaskedVector {
  if (!isMasked(play)) return ring
  const { site } = play
  const { terms, graph, keys, keyed, deals } = maskedOf(play, round)
  checkPlace(graph, terms, site.id, keyed)
  const streams = keys === null ? [] : streamsOf(terms, graph, { site: site.id, keys, opened: deals.opened }, site.masking)
  if (streams.length === 0 || streams.some((stream) => stream.key === undefined))
    throw new RotaError('ROTA-2328', { site: site.id, neighbours: deals.opened.size, threshold: terms.threshold - 1 })
  return mask(ring, streams, site.masking.keystream)
}

/** With whom this site shares masks in the round that is open; nothing in an open study. */
export const maskedWith = ({ masked, site }: Pick<Play, 'masked' | 'site'>): { readonly neighbours?: Bitmap } =>
  masked === null ? {} : { neighbours: masked.graph.neighbours(site.id) }
