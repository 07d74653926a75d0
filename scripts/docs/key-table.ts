import type { z } from 'zod'
import { type Key, keysOf, kindOf, shapeOf } from './json-schema.ts'
import { markdownTable } from './markdown.ts'

/**
 * A table of a schema's keys with a sentence for each.
 * @param texts by path, as `data.file`; `''` for a section that its own keys explain: it gets no row
 * @param defaults where the code fills in a value that depends on other keys
 * @throws when a key has no sentence, or a sentence no key
 */
export function keyTable(schema: z.ZodType, texts: Readonly<Record<string, string>>, defaults: Readonly<Record<string, string>> = {}): string {
  const keys = unique(keysOf(shapeOf(schema)))
  const paths = keys.map((key) => key.path)
  const untold = paths.filter((path) => !(path in texts))
  const unknown = [...Object.keys(texts), ...Object.keys(defaults)].filter((path) => !paths.includes(path))
  if (untold.length > 0 || unknown.length > 0)
    throw new Error(`keys without a sentence: ${untold.join(', ') || '-'}; sentences without a key: ${unknown.join(', ') || '-'}`)
  const rows = keys
    .filter((key) => texts[key.path] !== '')
    .map((key) => [`\`${key.path}\``, kindOf(key.shape), defaults[key.path] ?? defaultOf(key), texts[key.path] ?? ''])
  return markdownTable(['key', 'value', 'when left out', 'meaning'], rows)
}

const unique = (keys: readonly Key[]): readonly Key[] => keys.filter((key, i) => keys.findIndex((other) => other.path === key.path) === i)

const defaultOf = ({ shape, required, optionalParent }: Key): string => {
  if (required) return optionalParent === null ? '**must be there**' : `must be there with \`${optionalParent}\``
  if (shape.default === undefined || shape.default === null) return '–'
  return `\`${typeof shape.default === 'string' ? shape.default || "''" : JSON.stringify(shape.default)}\``
}
