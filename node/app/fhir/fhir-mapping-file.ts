import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { ACTIONS } from '#adapters/fhir/codes.ts'
import { defaultFhirMapping, type FhirMapping } from '#adapters/fhir/fhir-mapping.ts'
import { RotaError } from '#base/errors.ts'
import { checkYaml, readYaml } from '../yaml-file.ts'

/** Beside rota.yaml; taken when no other is named. */
export const FHIR_MAPPING_FILE = 'fhir.yaml'

const names = z.array(z.string().min(1))
const empty = defaultFhirMapping

export const schema = z.strictObject({
  patient: z.strictObject({ system: z.string().min(1).nullable().default(null), id: z.boolean().default(false) }).default(empty.patient),
  scopes: names.min(1).default([...empty.scopes]),
  categories: names.min(1).default([...empty.categories]),
  profiles: names.default([]),
  purposes: names.min(1).default([...empty.purposes]),
  otherPurposes: names.default([]),
  actions: z
    .array(z.enum(ACTIONS))
    .min(1)
    .default([...empty.actions]),
  organizations: z.strictObject({ ours: names.default([]), others: names.default([]) }).default({ ours: [], others: [] }),
  policies: z.record(z.string(), z.enum(['permit', 'deny']).nullable()).default({}),
  codes: z.strictObject({ ours: names.default([]), others: names.default([]) }).default({ ours: [], others: [] }),
})

/**
 * The site's mapping for FHIR:
 *
 *   patient: { system: urn:oid:2.16.840.1.113883.2.4.6.3 }     # the identifier by which this site's data names patients
 *   profiles: [http://fhir.de/StructureDefinition/our-consent]
 *   purposes: [HRESCH]                                        # what the programme is for
 *   organizations: { ours: [Organization/f001] }
 *   policies: { "urn:oid:2.16.840.1.113883.3.1937.777.24.2.1791": null }
 *
 * @param file default: fhir.yaml in the folder, or none
 * @throws ROTA-3001, 3041, 3042, 3043 with the line; ROTA-6063 when something is ours and another's
 */
export async function readFhirMapping(folder: string, file: string | undefined): Promise<FhirMapping> {
  const own = join(folder, FHIR_MAPPING_FILE)
  if (file === undefined && !existsSync(own)) return defaultFhirMapping
  const yaml = await readYaml(file ?? own)
  const mapping = checkYaml(yaml.value === null ? { ...yaml, value: {} } : yaml, schema)
  checkTwice('organizations', mapping.organizations.ours, mapping.organizations.others)
  checkTwice('codes', mapping.codes.ours, mapping.codes.others)
  checkTwice('purposes', mapping.purposes, mapping.otherPurposes)
  return mapping
}

function checkTwice(path: string, ours: readonly string[], others: readonly string[]): void {
  const both = ours.find((name) => others.includes(name))
  if (both !== undefined) throw new RotaError('ROTA-6063', { path, reason: both })
}
