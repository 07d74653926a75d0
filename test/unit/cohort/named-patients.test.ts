import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkNamed, privacyProblems } from '#adapters/cohort/named-patients.ts'
import type { ReadRows } from '#adapters/cohort/read-rows.ts'
import { isRotaError } from '#base/errors.ts'
import { studyId } from '#base/ids.ts'
import { policyWords } from '#core/protocol/private-rounds.ts'
import type { PrivacySpec } from '#core/protocol/protocol.ts'
import { brokenPolicy } from '#round/charged-policy.ts'

/*
  What a study with differential privacy asks of a site before it begins
  ├── a column names the patients, and there are enough of them
  └── the chain charges for it as its protocol says, and for no other
*/
const privacy: PrivacySpec = { unit: 'patient', epsilon: 3, delta: 1e-4, noise: 3, clip: 1, place: 'local', samplingRate: 1, steps: 1, minPatients: 20 }
const named = { column: 'mrn', index: 0 }
const rows = (count: number): ReadRows['rows'] =>
  Array.from({ length: count }, (_, line) => ({ line, patient: `p${line}`, set: 'train', values: new Float64Array(0), label: 0 }))
const read = (count: number, patient: typeof named | null) => ({ rows: rows(count), plan: { patient } as ReadRows['plan'] })
const codes = (count: number, patient: typeof named | null) => privacyProblems(read(count, patient), { privacy }).map(({ code }) => code)

describe('a site that a private study asks', () => {
  it('names its patients by a column', () => {
    assert.throws(
      () => checkNamed(5, { patient: null }, { privacy }),
      (error) => isRotaError(error, 'ROTA-2382') && error.details.missing === 5,
    )
    assert.doesNotThrow(() => checkNamed(5, { patient: named }, { privacy }))
    assert.doesNotThrow(() => checkNamed(5, { patient: null }, {}))
  })

  it('is told before it approves', () => {
    assert.deepEqual(codes(20, named), [])
    assert.deepEqual(codes(19, named), ['ROTA-2383'])
    assert.deepEqual(codes(19, null), ['ROTA-2382', 'ROTA-2383'])
    assert.deepEqual(privacyProblems(read(1, null), {}), [])
  })
})

describe('a policy on chain', () => {
  const words = policyWords(privacy)
  const why = (policy: Parameters<typeof brokenPolicy>[2], protocol: { privacy?: PrivacySpec } = { privacy }) => brokenPolicy(studyId(1), protocol, policy)
  it('belongs to the protocol, or is stricter', () => {
    assert.equal(why(words), null)
    assert.equal(why(null, {}), null)
    assert.equal(why({ charge: words.charge + 1n, limit: words.limit }), null)
  })

  it('is refused where it is missing, stray or laxer', () => {
    for (const broken of [why(null), why(words, {}), why({ ...words, charge: words.charge - 1n }), why({ ...words, limit: words.limit + (1n << 224n) })])
      assert.equal(broken?.code, 'ROTA-5314')
  })
})
