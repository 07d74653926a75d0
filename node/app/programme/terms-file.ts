import { RotaError } from '#base/errors.ts'
import { address } from '#base/ids.ts'
import { TERMS_MAX_BYTES, type Terms } from '#core/consent/terms.ts'
import { encodeTerms } from '#wire/terms.ts'
import { checkYaml, parseYaml, readYaml, wrongValue, type YamlFile } from '../yaml-file.ts'
import { termsSchema } from './terms-schema.ts'

/** @throws ROTA-3001, 3041, 3042, 3043 with the line, 6018 longer than the chain takes */
export const readTerms = async (file: string): Promise<Terms> => termsFrom(await readYaml(file))

/** @throws ROTA-3041 not YAML, 3042 unknown key and the nearest right one, 3043 wrong value, each with its line; 6018 */
export const parseTerms = (text: string, file = 'terms'): Terms => termsFrom(parseYaml(text, file))

function termsFrom(yaml: YamlFile): Terms {
  const written = checkYaml(yaml, termsSchema)
  const [unfilled, ...others] = placeholdersIn(written)
  if (unfilled !== undefined) throw wrongValue(yaml, unfilled, fillIn(others.map((path) => yaml.lineOf(path))))
  const { ombudsman } = written
  const terms = { ...written, ombudsman: ombudsman === null ? null : { ...ombudsman, address: address(ombudsman.address) } }
  const bytes = encodeTerms(terms).length
  if (bytes > TERMS_MAX_BYTES) throw new RotaError('ROTA-6018', { file: yaml.file, bytes, most: TERMS_MAX_BYTES })
  return terms
}

/** What a draft leaves to people. */
export const FILL_IN = 'Fill in'
const LEFT = /^fill[ -]in/i

const fillIn = (others: readonly number[]): string => (others.length === 0 ? 'fill it in' : `fill it in, and so in line ${others.join(', ')}`)

/** Patients read these words: a draft that nobody went through is not published. */
function placeholdersIn(value: unknown, path: readonly PropertyKey[] = []): readonly (readonly PropertyKey[])[] {
  if (typeof value === 'string') return LEFT.test(value) ? [path] : []
  if (typeof value !== 'object' || value === null) return []
  const entries = Array.isArray(value) ? value.map((each, i) => [i, each] as const) : Object.entries(value)
  return entries.flatMap(([key, each]) => placeholdersIn(each, [...path, key]))
}
