/**
 * given a mapping file of a site
 *   none is the default; a key that is misspelt and one thing meant twice are named
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { defaultFhirMapping } from '#adapters/fhir/fhir-mapping.ts'
import { readFhirMapping } from '#app/fhir/fhir-mapping-file.ts'
import { isRotaError } from '#base/errors.ts'
import { tempFolder } from '../cohort/support.ts'

const read = async (text: string | null) => {
  const folder = tempFolder()
  if (text !== null) writeFileSync(join(folder, 'fhir.yaml'), text)
  return readFhirMapping(folder, undefined).catch((error) => (isRotaError(error) ? `${error.code} ${error.message} ${error.remedy}` : assert.fail(error)))
}

test('a mapping file', async () => {
  assert.deepEqual(await read(null), defaultFhirMapping)
  assert.deepEqual(await read('# nothing yet'), defaultFhirMapping)
  assert.deepEqual(await read('policies: { urn:a: null, urn:b: deny }'), { ...defaultFhirMapping, policies: { 'urn:a': null, 'urn:b': 'deny' } })
  assert.match(String(await read('patient: { sytem: x }')), /ROTA-3042.*system/)
  assert.match(String(await read('actions: [train]')), /ROTA-3043/)
  assert.match(String(await read('organizations: { ours: [Organization/1], others: [Organization/1] }')), /ROTA-6063.*Organization\/1/)
  await assert.rejects(readFhirMapping('.', 'no-such-file.yaml'), (error) => isRotaError(error, 'ROTA-3001'))
})
