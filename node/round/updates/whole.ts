import { RotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import { RingAdder } from '#core/ring/add.ts'
import { vectorBytes } from '#core/ring/layout.ts'
import { faultOf, lengthFault } from '#core/ring/vector-check.ts'
import type { ModelStore } from '#ports/model-store.ts'
import { type Adding, type AddingRound, type NamedUpdate, refOf, strayIn } from './adding.ts'

/** Small vectors: kept as they are, and added when the set is frozen. There is but one slice. */
export function keepWhole(store: ModelStore, round: AddingRound): Adding {
  const kept = new Map<SiteId, Uint8Array>()
  const read = (update: NamedUpdate, signal: AbortSignal): Promise<Uint8Array> => store.get(refOf(update, round), round.key, signal, [update.site])

  return {
    async take(update, _, offered, signal) {
      const bytes = offered ?? (await read(update, signal))
      const why = round.masked === true ? (lengthFault(bytes.length, round.layout) ?? strayIn(round, update.site, bytes, 0)) : faultOf(bytes, round.layout)
      if (why !== null) throw new RotaError('ROTA-5506', { site: update.site, why })
      kept.set(update.site, bytes)
    },
    async sum(updates, _, signal) {
      const adder = new RingAdder(round.layout.wordBits, vectorBytes(round.layout))
      for (const update of updates) adder.add(kept.get(update.site) ?? (await read(update, signal)))
      return adder.sum.bytes
    },
    fill: async () => undefined,
    release: () => undefined,
  }
}
