import type { Written } from './r4.ts'

/** One resource a line, or a Bundle of all. */
export const FORMATS = ['bundle', 'ndjson'] as const
export type FhirFormat = (typeof FORMATS)[number]

/** In a Bundle by its entry; in NDJSON, where every line is alone, by type and id. */
export const referIn =
  (format: FhirFormat) =>
  (type: string, id: string): string =>
    format === 'bundle' ? `urn:uuid:${uuidOf(id)}` : `${type}/${id}`

export function fhirText(resources: readonly Written[], format: FhirFormat, at: string): string {
  if (format === 'ndjson') return resources.map((resource) => `${JSON.stringify(resource)}\n`).join('')
  // Addresses inside the bundle alone: R4 wants a fullUrl, and ids of a server are none of ours to give.
  const entry = resources.map((resource) => ({ fullUrl: `urn:uuid:${uuidOf(resource.id)}`, resource }))
  return `${JSON.stringify({ resourceType: 'Bundle', type: 'collection', timestamp: at, entry }, null, 1)}\n`
}

/** 32 hex digits written as a UUID of version 8 (RFC 9562: its bits are ours to choose). */
const uuidOf = (id: string): string => `${id.slice(0, 8)}-${id.slice(8, 12)}-8${id.slice(13, 16)}-a${id.slice(17, 20)}-${id.slice(20, 32)}`
