import { z } from 'zod'
import { RotaError } from '#base/errors.ts'
import { isKnownProfile } from './profiles.ts'
import { say } from './reasons.ts'
import { fhirPath, refused, sayable } from './refusal.ts'

/** A resource and where it lies in its file. */
export interface Placed {
  /** For people: `Bundle.entry[3].resource`, `line 17`, or the type of a resource that is the file. */
  readonly place: string
  /** How FHIRPaths into it begin. */
  readonly root: string
  readonly fullUrl: string | null
  readonly resource: Readonly<Record<string, unknown>>
}

export interface FhirFile {
  readonly consents: readonly Placed[]
  readonly patients: readonly Placed[]
  readonly provenances: readonly Placed[]
  /** What lies where a resource should, and is none. */
  readonly bad: readonly { readonly place: string; readonly error: RotaError }[]
}

/** Bundles that hold resources as they stand. A document or message says something about them that is not read here; a history holds what was. */
const BUNDLES = ['collection', 'searchset', 'transaction', 'batch'] as const

const bundleShape = z.looseObject({
  type: z.string(),
  meta: z.looseObject({ profile: z.array(z.string()).optional() }).optional(),
  link: z.array(z.looseObject({ relation: z.string() })).optional(),
  entry: z
    .array(
      z.looseObject({
        fullUrl: z.string().optional(),
        resource: z.record(z.string(), z.unknown()).optional(),
        search: z.looseObject({ mode: z.string().optional() }).optional(),
        request: z.looseObject({ method: z.string(), url: z.string() }).optional(),
      }),
    )
    .optional(),
})

/**
 * One resource, a Bundle, or NDJSON as bulk exports write it.
 * @param file named in errors
 * @throws ROTA-6050 when it is none of these, 6054 a Bundle of an unknown profile
 */
export function readFhirText(text: string, file: string, profiles: readonly string[]): FhirFile {
  const whole = parsed(text.replace(/^\uFEFF/, ''))
  if (whole === undefined) return sorted(linesOf(text, file))
  if (typeof whole !== 'object' || whole === null || !('resourceType' in whole))
    throw new RotaError('ROTA-6050', { file, reason: say('it has no resourceType') })
  const resource = whole as Record<string, unknown>
  const type = String(resource.resourceType)
  if (type === 'Bundle') return sorted(entriesOf(resource, file, profiles))
  return sorted([{ place: sayable(type), root: sayable(type), fullUrl: null, resource }])
}

type Line = Placed | { readonly place: string; readonly error: RotaError }

function sorted(lines: readonly Line[]): FhirFile {
  const placed = lines.filter((line) => 'resource' in line)
  const of = (type: string): readonly Placed[] => placed.filter(({ resource }) => resource.resourceType === type)
  return { consents: of('Consent'), patients: of('Patient'), provenances: of('Provenance'), bad: lines.filter((line) => 'error' in line) }
}

function linesOf(text: string, file: string): readonly Line[] {
  const lines = text.split('\n').flatMap((line, i) => (line.trim() === '' ? [] : [{ line, place: `line ${i + 1}` }]))
  const read = lines.map(({ line, place }) => ({ place, value: parsed(line) }))
  if (!read.some(({ value }) => isResource(value)))
    throw new RotaError('ROTA-6050', { file, reason: say(lines.length === 0 ? 'it is empty' : 'it is no JSON') })
  return read.map(({ place, value }) =>
    isResource(value)
      ? { place, root: sayable(String(value.resourceType)), fullUrl: null, resource: value }
      : { place, error: new RotaError('ROTA-6050', { file, reason: say('{place} holds no resource', { place }) }) },
  )
}

function entriesOf(resource: Record<string, unknown>, file: string, profiles: readonly string[]): readonly Line[] {
  if (resource.implicitRules !== undefined) throw refused('ROTA-6056', 'Bundle.implicitRules', 'it was made under rules that are not in it')
  const bundle = bundleShape.safeParse(resource)
  if (!bundle.success) {
    const element = fhirPath('Bundle', bundle.error.issues[0]?.path ?? [])
    throw new RotaError('ROTA-6050', { file, reason: say('the element {element} is not as R4 has it', { element }) })
  }
  const { type, meta, link = [], entry = [] } = bundle.data
  if (!(BUNDLES as readonly string[]).includes(type))
    throw new RotaError('ROTA-6050', { file, reason: say('a Bundle of type {type}', { type: sayable(type) }) })
  if (link.some(({ relation }) => relation === 'next')) throw new RotaError('ROTA-6050', { file, reason: say('the Bundle has a next page that is not in it') })
  const at = (meta?.profile ?? []).findIndex((profile) => !isKnownProfile(profile, 'Bundle', profiles))
  if (at >= 0) throw refused('ROTA-6054', `Bundle.meta.profile[${at}]`, sayable(meta?.profile?.[at] ?? ''))
  return entry.flatMap((one, i): readonly Line[] => {
    const place = `Bundle.entry[${i}]`
    if (one.search?.mode === 'outcome') return []
    const method = one.request?.method
    const removes = method !== undefined && method !== 'POST' && method !== 'PUT'
    const aboutConsent = one.resource?.resourceType === 'Consent' || (one.request?.url ?? '').startsWith('Consent')
    if (removes && aboutConsent)
      return [
        { place, error: refused('ROTA-6051', `${place}.request.method`, say('{method} says nothing of how the consent stands', { method: sayable(method) })) },
      ]
    if (one.resource === undefined) return []
    return [{ place: `${place}.resource`, root: `${place}.resource`, fullUrl: one.fullUrl ?? null, resource: one.resource }]
  })
}

const isResource = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && 'resourceType' in value

/** Undefined where the text is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
