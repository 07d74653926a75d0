import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '#base/bytes.ts'
import { programmeId } from '#patient/keys.ts'
import { isRequest, REQUEST_GOOD_SECONDS, type RequestFault, readRequest, requestFault, type SignedRequest, signRequest } from '#patient/request.ts'
import { consentDomain } from '#patient/typed-data.ts'
import { isSigned, signWithdrawal } from '#patient/withdrawal.ts'
import { DOMAIN, drawn, secretOf } from './support.ts'

// given a request that the holder of a receipt signed
// ├── it is good for five minutes, by a clock that is five minutes off either way
// ├── later, for another programme or another question it is refused, and why is said
// ├── whatever is altered in it, it is forged
// ├── a withdrawal's signature is none of a request, and the other way round
// └── what is no request at all is not read as one

const AT = 1_795_000_000
const asked = signRequest(secretOf('Ann'), 'cardio', { what: 'proofs', at: AT }, DOMAIN)
const expected = { programme: programmeId('cardio'), what: 'proofs', now: AT }
const fault = (change: Partial<SignedRequest>, expects: Partial<typeof expected> = {}): RequestFault | null =>
  requestFault({ ...asked, ...change }, { ...expected, ...expects }, DOMAIN)

describe('a signed request', () => {
  it('is good for five minutes', () => {
    assert.ok(isRequest(asked, expected, DOMAIN))
    assert.equal(REQUEST_GOOD_SECONDS, 300)
    for (const seconds of [-300, -1, 300]) assert.equal(fault({}, { now: AT + seconds }), null)
    for (const seconds of [-301, 301, 1e6]) assert.equal(fault({}, { now: AT + seconds }), 'expired')
    assert.equal(isRequest(asked, { ...expected, now: AT + 301 }, DOMAIN), false)
  })

  it('is good for one programme and one question', () => {
    assert.equal(fault({}, { programme: programmeId('other') }), 'another programme')
    assert.equal(fault({}, { what: 'again' }), 'another question')
  })

  it('is forged where anything in it is altered', () => {
    const other = signRequest(secretOf('Bob'), 'cardio', { what: 'proofs', at: AT }, DOMAIN)
    const changes: Partial<SignedRequest>[] = [
      { programme: programmeId('other') },
      { tag: other.tag },
      { blind: other.blind },
      { patientKey: other.patientKey },
      { what: 'again' },
      { at: AT + 1 },
      { signature: other.signature },
      { signature: signWithdrawal(secretOf('Ann'), 'cardio', DOMAIN).signature },
    ]
    for (const change of changes) assert.equal(fault(change), 'forged')
    assert.equal(requestFault(asked, expected, consentDomain(1n, DOMAIN.verifyingContract)), 'forged')
    assert.equal(isSigned(asked, DOMAIN), false, 'a question withdraws nothing')
  })

  it('is not read from anything else', () => {
    assert.deepEqual(readRequest(JSON.parse(JSON.stringify(asked))), asked)
    const wrong = [
      null,
      7,
      'x',
      {},
      { ...asked, at: 1.5 },
      { ...asked, at: '1' },
      { ...asked, at: -1 },
      { ...asked, what: 'x'.repeat(201) },
      { ...asked, tag: toHex(drawn('x', 31)) },
    ]
    for (const value of wrong) assert.equal(readRequest(value), null)
  })
})
