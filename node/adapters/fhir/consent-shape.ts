import { z } from 'zod'

/**
 * R4 `Consent`, strict: an element that R4 does not have is a mistake or another version of FHIR, and may mean anything.
 * Extensions may be passed over (R4 says so of those that are no modifiers).
 * @see http://hl7.org/fhir/R4/consent.html
 */
const MOST = 1000
const text = z.string().min(1).max(65_536)
const uri = z.string().regex(/^\S+$/).max(2_048)
const extension = z.unknown().optional()
const element = { id: z.string().optional(), extension }

const coding = z.strictObject({
  ...element,
  system: uri.optional(),
  version: text.optional(),
  code: z
    .string()
    .regex(/^\S+( \S+)*$/)
    .max(256)
    .optional(),
  display: text.optional(),
  userSelected: z.boolean().optional(),
})
export const concept = z.strictObject({ ...element, coding: z.array(coding).min(1).max(MOST).optional(), text: text.optional() })
const period = z.strictObject({ ...element, start: text.optional(), end: text.optional() })
export const identifier = z.strictObject({
  ...element,
  use: z.enum(['usual', 'official', 'temp', 'secondary', 'old']).optional(),
  type: concept.optional(),
  system: uri.optional(),
  value: text.optional(),
  period: period.optional(),
  assigner: z.unknown().optional(),
})
export const reference = z.strictObject({
  ...element,
  reference: uri.optional(),
  type: uri.optional(),
  identifier: identifier.optional(),
  display: text.optional(),
})

const conditions = z.strictObject({
  ...element,
  type: z.enum(['deny', 'permit']).optional(),
  period: period.optional(),
  actor: z
    .array(z.strictObject({ ...element, role: concept, reference }))
    .min(1)
    .max(MOST)
    .optional(),
  action: z.array(concept).min(1).max(MOST).optional(),
  securityLabel: z.array(coding).min(1).max(MOST).optional(),
  purpose: z.array(coding).min(1).max(MOST).optional(),
  class: z.array(coding).min(1).max(MOST).optional(),
  code: z.array(concept).min(1).max(MOST).optional(),
  dataPeriod: period.optional(),
  data: z
    .array(z.strictObject({ ...element, meaning: z.enum(['instance', 'related', 'dependents', 'authoredby']), reference }))
    .min(1)
    .max(MOST)
    .optional(),
})

export interface Provision extends z.infer<typeof conditions> {
  readonly provision?: readonly Provision[] | undefined
}

const provision: z.ZodType<Provision> = z.strictObject({
  ...conditions.shape,
  provision: z.lazy(() => z.array(provision).min(1).max(MOST)).optional(),
})

export const meta = z.strictObject({
  ...element,
  versionId: text.optional(),
  lastUpdated: text.optional(),
  source: uri.optional(),
  profile: z.array(uri).max(MOST).optional(),
  security: z.array(coding).max(MOST).optional(),
  tag: z.array(coding).max(MOST).optional(),
})

export const consentShape = z.strictObject({
  resourceType: z.literal('Consent'),
  id: z
    .string()
    .regex(/^[A-Za-z0-9.-]{1,64}$/)
    .optional(),
  meta: meta.optional(),
  language: text.optional(),
  text: z.unknown().optional(),
  contained: z
    .array(z.looseObject({ resourceType: text }))
    .max(MOST)
    .optional(),
  extension,
  identifier: z.array(identifier).max(MOST).optional(),
  status: z.enum(['draft', 'proposed', 'active', 'rejected', 'inactive', 'entered-in-error']),
  scope: concept,
  category: z.array(concept).min(1).max(MOST),
  patient: reference.optional(),
  dateTime: text.optional(),
  performer: z.array(reference).max(MOST).optional(),
  organization: z.array(reference).max(MOST).optional(),
  sourceAttachment: z.unknown().optional(),
  sourceReference: reference.optional(),
  policy: z
    .array(z.strictObject({ ...element, authority: uri.optional(), uri: uri.optional() }))
    .min(1)
    .max(MOST)
    .optional(),
  policyRule: concept.optional(),
  verification: z
    .array(z.strictObject({ ...element, verified: z.boolean(), verifiedWith: reference.optional(), verificationDate: text.optional() }))
    .max(MOST)
    .optional(),
  provision: provision.optional(),
})

export const patientShape = z.looseObject({
  resourceType: z.literal('Patient'),
  id: z.string().optional(),
  meta: meta.optional(),
  identifier: z.array(identifier).max(MOST).optional(),
  active: z.boolean().optional(),
  link: z.array(z.looseObject({ type: z.string() })).optional(),
})

export type ConsentResource = z.infer<typeof consentShape>
export type Concept = z.infer<typeof concept>
export type Reference = z.infer<typeof reference>
export type Identifier = z.infer<typeof identifier>
