import { secp256k1 } from '@noble/curves/secp256k1.js'
import { digestOf } from '#adapters/sim/hash.ts'
import { fromHex } from '#base/bytes.ts'
import type { Address } from '#base/ids.ts'
import { addressOf } from '#patient/keys.ts'

/** A node's account that follows from a word. */
export function generatedKey(word: string): { readonly account: Address; readonly nodeKey: Uint8Array } {
  const nodeKey = fromHex(digestOf('key', word))
  return { nodeKey, account: addressOf(secp256k1.getPublicKey(nodeKey, false)) }
}

export const addressOfKey = (word: string): Address => generatedKey(word).account
