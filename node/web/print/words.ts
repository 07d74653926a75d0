import { readdirSync, readFileSync } from 'node:fs'
import english from './languages/en.json' with { type: 'json' }

/** What a sheet says, in one language: a file in languages/ each. Another language is another file with the same keys. */
export type Words = typeof english

const LANGUAGES = new URL('./languages/', import.meta.url)
const read = new Map<string, Words>([['en', english]])

/** Languages that sheets can be printed in. */
export const languages = (): readonly string[] =>
  readdirSync(LANGUAGES)
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -'.json'.length))
    .sort()

/** @param language one of `languages()`; its region does not matter, and English stands in for one that is not there */
export function wordsIn(language: string): Words {
  const found = languages().find((known) => known === language || known === language.split('-', 1)[0]) ?? 'en'
  const words = read.get(found) ?? (JSON.parse(readFileSync(new URL(`${found}.json`, LANGUAGES), 'utf8')) as Words)
  read.set(found, words)
  return words
}

/** Puts values into {places}. */
export const said = (text: string, values: Readonly<Record<string, string | number>>): string =>
  text.replace(/\{(\w+)\}/g, (whole, key: string) => (key in values ? String(values[key]) : whole))
