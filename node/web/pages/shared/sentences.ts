import type { Texts } from './languages.ts'

const KEY = 'reason.'

/**
 * An English sentence of the server in another language: by the key `reason.<the sentence>`, in which values stand as `{name}`. Several
 * in one, joined by semicolons, are looked up one by one.
 * @returns null where one of them is not there
 */
export function translated(sentence: string, texts: Texts): string | null {
  const whole = one(sentence, texts)
  if (whole !== null || !sentence.includes('; ')) return whole
  const parts = sentence.split('; ').map((part) => one(part, texts))
  return parts.includes(null) ? null : parts.join('; ')
}

function one(sentence: string, texts: Texts): string | null {
  const exact = texts[KEY + sentence]
  if (exact !== undefined) return exact
  for (const [key, text] of Object.entries(texts)) {
    if (!key.startsWith(KEY) || !key.includes('{')) continue
    const values = patternOf(key.slice(KEY.length)).exec(sentence)?.groups
    if (values !== undefined) return text.replace(/\{(\w+)\}/g, (braces, name: string) => values[name] ?? braces)
  }
  return null
}

/** `its status is {status}` as what matches it, with the value under its name; a semicolon ends it. */
const patternOf = (template: string): RegExp => new RegExp(`^${template.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{(\w+)\}/g, '(?<$1>[^;]+)')}$`)
