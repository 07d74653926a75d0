import { createHash } from 'node:crypto'
import { toDigest } from '#base/bytes.ts'
import type { Address, Digest } from '#base/ids.ts'
import { address } from '#base/ids.ts'

/** SHA-256 over the parts one after another. */
export function sha256(...parts: Uint8Array[]): Uint8Array {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

/** A digest that follows from words alone: names for things of a simulated world. */
export const digestOf = (...words: (string | number | bigint)[]): Digest => toDigest(new Uint8Array(createHash('sha256').update(words.join('/')).digest()))

export const addressOf = (...words: (string | number | bigint)[]): Address => address(digestOf('account', ...words).slice(0, 42))
