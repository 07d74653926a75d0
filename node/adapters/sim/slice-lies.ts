import type { Digest, SiteId } from '#base/ids.ts'
import { rootOfUnits, unitBytes, unitRoots } from '#core/commit/outline.ts'
import type { ModelStore, SealedSlice } from '#ports/model-store.ts'
import { decodeMessage } from '#wire/message.ts'
import { encodeSliceWord, type SliceWord } from '#wire/slice-word.ts'
import type { SimGossip } from './gossip.ts'
import { digestOf, sha256 } from './hash.ts'
import { replacing } from './liar.ts'

/** Changes each word of slices before it leaves; other messages stay as they are. null: it does not leave. */
export const changingWords = (gossip: SimGossip, change: (word: SliceWord) => SliceWord | null): SimGossip =>
  replacing(gossip, {
    publish(message) {
      const said = decodeMessage(message)
      if (said.kind !== 'slice') return gossip.publish(message)
      const told = change(said)
      return told === null ? Promise.resolve(0) : gossip.publish(told === said ? message : encodeSliceWord(told))
    },
  })

/** The same word with another root for its first unit. */
export const otherUnits = (word: SliceWord): SliceWord =>
  word.units[0] === undefined ? word : { ...word, units: [digestOf('another', word.units[0]), ...word.units.slice(1)] }

type Forged = SealedSlice & { readonly units: readonly Digest[] }

/**
 * Keeps, beside each slice of a sum, the same with its last bit turned, and tells of that one in its place: whoever fetches it finds just what
 * was told. A simulated vector has units of the smallest size, as each part of it has. `two`: only sites of odd ids are told so.
 */
export function forgingSlices(
  voice: { readonly store: ModelStore; readonly gossip: SimGossip },
  two: boolean,
  strike: () => void,
): { readonly store: ModelStore; readonly gossip: SimGossip } {
  const { store, gossip } = voice
  const forged = new Map<string, Forged>()
  const putSlice: ModelStore['putSlice'] = async (plaintext, root, kind, key, signal) => {
    const kept = await store.putSlice(plaintext, root, kind, key, signal)
    if (kind !== 'sum' || plaintext.length === 0) return kept
    const wrong = plaintext.slice()
    wrong[wrong.length - 1] = (wrong[wrong.length - 1] as number) ^ 1
    const units = unitRoots(wrong, unitBytes(plaintext.length), sha256)
    const { pieces } = await store.putSlice(wrong, rootOfUnits(units, sha256), kind, key, signal)
    forged.set(root, { units, pieces })
    return kept
  }
  const otherOf = (word: SliceWord): SliceWord => ({ ...word, ...(forged.get(rootOfUnits(word.units, sha256)) ?? {}) })
  const publish: SimGossip['publish'] = async (message) => {
    const said = decodeMessage(message)
    if (said.kind !== 'slice' || !forged.has(rootOfUnits(said.units, sha256))) return gossip.publish(message)
    strike()
    const lie = encodeSliceWord(otherOf(said))
    const lied = await gossip.publish(lie, (site) => !two || isOdd(site))
    return two ? lied + (await gossip.publish(message, (site) => !isOdd(site))) : lied
  }
  return { store: replacing(store, { putSlice }), gossip: replacing(gossip, { publish }) }
}

const isOdd = (site: SiteId): boolean => site % 2 === 1
