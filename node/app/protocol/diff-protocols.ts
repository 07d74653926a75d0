import type { Protocol } from '#core/protocol/protocol.ts'

export interface ProtocolChange {
  /** e.g. `features.chol.range`, `learner.l2`. */
  readonly path: string
  /** As JSON; null where the key is not there. */
  readonly before: string | null
  readonly after: string | null
}

/** What a steward is told when a study's protocol differs from the last approved one. Features and readers are matched by name. */
export function diffProtocols(before: Protocol, after: Protocol): readonly ProtocolChange[] {
  const [a, b] = [flatten(before), flatten(after)]
  const paths = [...new Set([...a.keys(), ...b.keys()])]
  const order = orderChange(before, after)
  return [...order, ...paths.filter((path) => a.get(path) !== b.get(path)).map((path) => ({ path, before: a.get(path) ?? null, after: b.get(path) ?? null }))]
}

/** The order of features is part of the digest, though nothing else shows it. */
function orderChange(before: Protocol, after: Protocol): readonly ProtocolChange[] {
  const [a, b] = [before, after].map((p) => JSON.stringify(p.features.map((f) => f.name))) as [string, string]
  const moved = a !== b && before.features.length === after.features.length && before.features.every((f) => after.features.some((g) => g.name === f.name))
  return moved ? [{ path: 'features (order)', before: a, after: b }] : []
}

function flatten(value: unknown, path = '', into = new Map<string, string>()): Map<string, string> {
  const parts = entriesOf(value)
  if (parts === null) into.set(path, JSON.stringify(value))
  else for (const [key, inner] of parts) flatten(inner, path === '' ? key : `${path}.${key}`, into)
  return into
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] | null {
  if (Array.isArray(value)) {
    const named = value.length > 0 && value.every((item) => typeof item === 'object' && item !== null && 'name' in item)
    return named ? value.map((item) => [String((item as { name: unknown }).name), item]) : null
  }
  return typeof value === 'object' && value !== null ? Object.entries(value) : null
}
