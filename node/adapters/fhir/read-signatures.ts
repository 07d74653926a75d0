import { z } from 'zod'
import type { FhirFile } from './fhir-file.ts'
import { momentOf } from './fhir-time.ts'

/** A signature over a Consent, as a Provenance has it. It is kept and handed on, not checked: whose key it was is not known here. */
export interface ConsentSignature {
  readonly when: string
  /** `system|code` of what was meant by signing. */
  readonly type: string
  readonly format: string | null
  /** Base64; null where there was none, or more than is kept. */
  readonly data: string | null
}

/** A written name or a signature of a card takes much less. */
const MOST_BASE64 = 16_384

const shape = z.looseObject({
  target: z.array(z.looseObject({ reference: z.string().optional() })),
  signature: z.array(
    z.looseObject({
      type: z.array(z.looseObject({ system: z.string().max(256), code: z.string().max(256) })).min(1),
      when: z.string().refine((text) => text.includes('T') && momentOf(text) !== null),
      sigFormat: z.string().max(256).optional(),
      data: z
        .string()
        .regex(/^[A-Za-z0-9+/=\s]*$/)
        .optional(),
    }),
  ),
})

/** By what the Provenance calls the Consent: `Consent/id`, or the address of its entry. One that is not as R4 has it signs nothing. */
export function signaturesIn({ provenances }: Pick<FhirFile, 'provenances'>): ReadonlyMap<string, ConsentSignature> {
  const found = new Map<string, ConsentSignature>()
  for (const { resource } of provenances) {
    const read = shape.safeParse(resource)
    const [signature] = read.success ? read.data.signature : []
    const [type] = signature?.type ?? []
    if (!read.success || signature === undefined || type === undefined) continue
    const { when, sigFormat, data } = signature
    const kept = data !== undefined && data.length <= MOST_BASE64 ? data : null
    for (const { reference } of read.data.target)
      if (reference !== undefined) found.set(reference, { when, type: `${type.system}|${type.code}`, format: sigFormat ?? null, data: kept })
  }
  return found
}
