import { createHash } from 'node:crypto'
import { type ConsentDomain, consentDomain } from '#patient/typed-data.ts'

/** Bytes that look random and are the same each time. */
export const drawn = (what: string, length = 32): Uint8Array => new Uint8Array(createHash('shake256', { outputLength: length }).update(what).digest())

export const secretOf = (name: string): Uint8Array => drawn(`secret of ${name}`, 16)

export const DOMAIN: ConsentDomain = consentDomain(31_337n, '0x00000000000000000000000000000000000000aa')

/** Every text that one character more, less or other makes of `text`. */
export function* alterations(text: string, characters: string): Generator<string> {
  for (let i = 0; i < text.length; i++) {
    yield text.slice(0, i) + text.slice(i + 1)
    for (const character of characters) if (character !== text[i]) yield text.slice(0, i) + character + text.slice(i + 1)
  }
  for (const character of characters) yield text + character
}
