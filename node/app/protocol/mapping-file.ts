import { z } from 'zod'
import { defaultMapping, type Mapping, MISSING_SIGNS, wantedNames } from '#adapters/cohort/mapping.ts'
import { RotaError } from '#base/errors.ts'
import { nearest } from '#base/nearest.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { checkYaml, parseYaml, readYaml, wrongValue, type YamlFile } from '../yaml-file.ts'

const column = z.strictObject({
  column: z.string().min(1).optional(),
  unit: z.string().min(1).optional(),
  codes: z.record(z.string(), z.number()).optional(),
  substance: z.string().min(1).optional(),
})

export const schema = z.strictObject({
  patient: z.string().min(1).nullable().default(null),
  set: z.string().min(1).nullable().default(null),
  only: z
    .strictObject({ column: z.string().min(1), value: z.union([z.string(), z.number()]).transform(String) })
    .nullable()
    .default(null),
  delimiter: z.string().length(1).nullable().default(null),
  decimal: z.enum(['.', ',']).default('.'),
  missing: z.array(z.union([z.string(), z.number()]).transform(String)).default([...MISSING_SIGNS]),
  features: z.record(z.string(), column).default({}),
  label: column.default({}),
})

/**
 * A site's mapping file:
 *
 *   patient: mrn                                        # column that names the patient; else the line does
 *   features:
 *     trestbps: { column: bp_sys, unit: kPa }           # converted to the protocol's unit
 *     sex:      { column: gender, codes: { M: 1, F: 0 } }
 *   label:      { column: outcome, codes: { yes: 1, no: 0 } }
 *
 * @param file null: columns named as the protocol's features are taken as they are
 * @throws ROTA-3001, 3041, 3042, 3043 with the line; 3030 for a name that the protocol does not have
 */
export const readMapping = async (file: string | null, protocol: Protocol): Promise<Mapping> =>
  file === null ? defaultMapping() : mappingFrom(await readYaml(file), protocol)

/** What names the patients, for the desk, which works before any protocol is there: the mapping without its columns. @throws as readMapping */
export async function readPatientMapping(file: string | null): Promise<Mapping> {
  if (file === null) return defaultMapping()
  const yaml = await readYaml(file)
  const { features: _features, label: _label, missing, ...rest } = checkYaml(yaml.value === null ? { ...yaml, value: {} } : yaml, schema)
  return { ...rest, file, missing: ['', ...missing], columns: {} }
}

export const parseMapping = (text: string, protocol: Protocol, file = 'mapping'): Mapping => mappingFrom(parseYaml(text, file), protocol)

function mappingFrom(yaml: YamlFile, protocol: Protocol): Mapping {
  const { features, label, missing, ...rest } = checkYaml(yaml.value === null ? { ...yaml, value: {} } : yaml, schema)
  for (const name of Object.keys(features)) {
    if (protocol.features.some((f) => f.name === name)) continue
    const reason =
      name === protocol.label.name ? 'the label is written under `label`' : `no feature of the protocol (nearest: ${nearest(name, wantedNames(protocol))})`
    throw wrongValue(yaml, ['features', name], reason)
  }
  for (const [name, { unit, codes }] of Object.entries(features)) {
    if (unit !== undefined && codes !== undefined) throw wrongValue(yaml, ['features', name], 'give a unit or codes, not both')
  }
  if (missing.length > 100)
    throw new RotaError('ROTA-3043', { file: yaml.file, line: yaml.lineOf(['missing']), path: 'missing', reason: 'more than 100 signs' })
  // An empty cell never holds a value.
  return { ...rest, file: yaml.file, missing: ['', ...missing], columns: { ...features, [protocol.label.name]: label } }
}
