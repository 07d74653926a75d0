import { SALT_BYTES } from '#core/ring/layout.ts'
import type { ModelStore } from '#ports/model-store.ts'
import { decodeParcel } from '#wire/masking/parcel.ts'
import { encodeRelease, type ReleaseMessage } from '#wire/masking/release.ts'
import { decodeMessage } from '#wire/message.ts'
import type { SimGossip } from './gossip.ts'
import { replacing } from './liar.ts'
import type { SimRandom } from './random.ts'

/** Changes the shares that a site shows before they leave; null: they do not leave. Other messages stay as they are. */
export const changingShares = (gossip: SimGossip, change: (said: ReleaseMessage) => ReleaseMessage | null): SimGossip =>
  replacing(gossip, {
    publish(message) {
      const said = isRelease(message) ? decodeMessage(message) : null
      if (said?.kind !== 'release') return gossip.publish(message)
      const told = change(said)
      return told === null ? Promise.resolve(0) : gossip.publish(encodeRelease(told))
    },
  })

/** A bit of each share is turned. */
export const otherShares = (said: ReleaseMessage): ReleaseMessage => ({
  ...said,
  release: { ...said.release, shares: said.release.shares.map((share) => share.map((byte, i) => (i === 0 ? byte ^ 1 : byte))) },
})

/** Half of the parcels of each deal are of random bytes where they should open. */
export function garblingParcels(store: ModelStore, random: SimRandom, strike: () => void): ModelStore {
  return replacing(store, {
    putPlain(bytes, signal) {
      if (!isParcel(bytes) || random.chance(0.5)) return store.putPlain(bytes, signal)
      strike()
      const garbled = bytes.slice()
      garbled.set(random.bytes(32), garbled.length - 32)
      return store.putPlain(garbled, signal)
    },
  })
}

export function isParcel(bytes: Uint8Array): boolean {
  try {
    return decodeParcel(bytes) !== undefined
  } catch {
    return false
  }
}

function isRelease(message: Uint8Array): boolean {
  try {
    return decodeMessage(message).kind === 'release'
  } catch {
    return false
  }
}

/** The words under masks, one after the other; what is not masked, as the parts of other groups, stays. */
export function hiding(bytes: Uint8Array, word: () => Uint8Array): Uint8Array {
  const other = bytes.slice()
  for (let at = SALT_BYTES; at < other.length; at += 4) if (other.subarray(at, at + 4).some((byte) => byte !== 0)) other.set(word(), at)
  return other
}

/** Masks add up, so what is added behind them stands in the sum: here one number to all coordinates of 64 bits but the first, which counts rows. */
export function poisoned(bytes: Uint8Array): Uint8Array {
  const other = bytes.slice()
  const view = new DataView(other.buffer)
  let first = SALT_BYTES
  while (first < other.length && view.getBigUint64(first, true) === 0n) first += 8
  for (let at = first + 8; at < other.length; at += 8) {
    const word = view.getBigUint64(at, true)
    if (word !== 0n) view.setBigUint64(at, word + POISON, true)
  }
  return other
}

const POISON = 1n << 44n
