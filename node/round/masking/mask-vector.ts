import { RotaError } from '#base/errors.ts'
import type { Bitmap } from '#base/ids.ts'
import { checkPlace } from '#core/masking/graph.ts'
import { type MaskedVector, mask, streamsOf } from '#core/masking/mask.ts'
import { addStreams, type Stream } from '#core/masking/words.ts'
import { intoPart, partOf } from '#core/ring/grouped.ts'
import type { RingVector } from '#core/ring/vectors.ts'
import type { Play, Round } from '../play.ts'
import { groupOf, isDrawn, isMasked, maskedOf } from './masked-round.ts'

/**
 * Nothing leaves a site of a masked study without all of its masks. In an open study the vector as it is.
 * @throws ROTA-2328 (retry) when a mask is lacking: nothing is sent then
 */
export function maskVector(play: Play, round: Round, ring: RingVector): RingVector | MaskedVector {
  if (!isMasked(play)) return ring
  const { site } = play
  const masked = maskedOf(play, round)
  const { terms, graph, masks, keys, keyed, deals, groups } = masked
  checkPlace(graph, terms, site.id, keyed, site.sha256)
  const group = groupOf(masked, site.id)
  const isPart = groups !== null || isDrawn(play.study, round.base.model)
  const streams = keys === null || (isPart && group === undefined) ? [] : streamsOf(terms, masks, { site: site.id, keys, opened: deals.opened }, site.masking)
  if (streams.length === 0 || streams.some((stream) => stream.key === undefined))
    throw new RotaError('ROTA-2328', { site: site.id, neighbours: deals.opened.size, threshold: terms.threshold - 1 })
  return groups === null || group === undefined ? mask(ring, streams, site.masking.keystream) : maskPart(play, round, ring, streams, group)
}

/** In groups a mask begins with its part. The salt before it is fresh: alone it says nothing. */
function maskPart({ site, study }: Play, { base, groups }: Round, { wordBits, bytes }: RingVector, streams: readonly Stream[], group: number): MaskedVector {
  const stage = study.learner.layout(base.model)
  const whole = intoPart(bytes, stage, group, groups)
  const { start, end } = partOf(stage, group)
  addStreams(whole.subarray(start, end), wordBits, 0, streams, site.masking.keystream)
  return { masked: true, wordBits, bytes: whole }
}

/** With whom this site shares masks in the round that is open; nothing in an open study. */
export const maskedWith = ({ masked, site }: Pick<Play, 'masked' | 'site'>): { readonly neighbours?: Bitmap } =>
  masked === null ? {} : { neighbours: masked.masks.neighbours(site.id) }
