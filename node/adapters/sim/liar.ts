import type { Attempt, Digest, RoundNo, RunId } from '#base/ids.ts'
import { outlineOf } from '#core/commit/outline.ts'
import type { Chain } from '#ports/chain.ts'
import type { ModelStore } from '#ports/model-store.ts'
import { sha256 } from './hash.ts'

/**
 * A site that publishes wrong sums: the last bit of each sum it puts together is turned, under the root of the turned bytes, and its
 * publications name those. All else it does is honest, so only re-adding finds it out.
 */
export function lying(chain: Chain, store: ModelStore, strike: () => void = () => undefined): { readonly chain: Chain; readonly store: ModelStore } {
  /** The true sum's root to what stands in its place. */
  const forged = new Map<Digest, { readonly root: Digest; readonly cid: Digest }>()
  const join: ModelStore['join'] = async (slices, outline, kind, key, signal) => {
    const kept = await store.join(slices, outline, kind, key, signal)
    if (kind !== 'sum' || outline.lengthBytes === 0) return kept
    const wrong = (await store.get(kept, key, signal)).slice()
    wrong[wrong.length - 1] = (wrong[wrong.length - 1] as number) ^ 1
    forged.set(outline.root, await store.put(wrong, outlineOf(wrong, sha256), kind, key, signal, slices.length))
    return kept
  }
  const publish = (run: RunId, round: RoundNo, attempt: Attempt, sumRoot: Digest, sumCid: Digest): Promise<void> => {
    const told = forged.get(sumRoot)
    if (told !== undefined) strike()
    return chain.publish(run, round, attempt, told?.root ?? sumRoot, told?.cid ?? sumCid)
  }
  return { chain: replacing(chain, { publish }), store: replacing(store, { join }) }
}

/** The same object but for some methods; methods keep their own `this`. */
export function replacing<T extends object>(object: T, methods: Partial<T>): T {
  const bound = new Map<string | symbol, unknown>()
  return new Proxy(object, {
    get(target, name) {
      const other = (methods as Record<string | symbol, unknown>)[name] ?? bound.get(name)
      if (other !== undefined) return other
      const own = (target as Record<string | symbol, unknown>)[name]
      if (typeof own !== 'function') return own
      const mine = own.bind(target)
      bound.set(name, mine)
      return mine
    },
  })
}
