import { refused } from './refusal.ts'

/** No resource of R4 is anywhere near this deep; what is was made to exhaust a parser. */
const DEEPEST = 64

/**
 * A resource without the extensions of its primitive values (`_status`), which say nothing that R4 would have a reader heed.
 * @throws ROTA-6056 where something in it changes what the rest means; 6051 where it is nested too deeply
 */
export function withoutPrimitiveExtensions(resource: unknown, root: string): unknown {
  return walk(resource, root, 0)
}

function walk(value: unknown, path: string, depth: number): unknown {
  if (depth > DEEPEST) throw refused('ROTA-6051', path, 'nested too deeply')
  if (Array.isArray(value)) return value.map((one, i) => walk(one, `${path}[${i}]`, depth + 1))
  if (typeof value !== 'object' || value === null) return value
  const kept: Record<string, unknown> = {}
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'modifierExtension' && !(Array.isArray(inner) && inner.length === 0))
      throw refused('ROTA-6056', `${path}.${key}`, 'an extension changes what it means')
    if (key === 'implicitRules') throw refused('ROTA-6056', `${path}.${key}`, 'it was made under rules that are not in it')
    // A text is for people, and what a Consent contains is read where the Consent points to it.
    if (key === 'modifierExtension' || /^_[a-z]/.test(key)) continue
    Object.defineProperty(kept, key, { value: key === 'text' || key === 'contained' ? inner : walk(inner, `${path}.${key}`, depth + 1), enumerable: true })
  }
  return kept
}
