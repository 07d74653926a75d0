import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { consentKeys } from '#patient/keys.ts'
import { isSigned, signWithdrawal } from '#patient/withdrawal.ts'
import { DOMAIN, secretOf } from './support.ts'

// given no Buffer, as in a browser
// └── keys and signatures are the same

const IN_A_BROWSER = `
  const secret = Uint8Array.from(JSON.parse(process.argv[1]))
  delete globalThis.Buffer
  const { consentKeys } = await import('#patient/keys.ts')
  const { consentDomain } = await import('#patient/typed-data.ts')
  const { signWithdrawal, isSigned } = await import('#patient/withdrawal.ts')
  const domain = consentDomain(${DOMAIN.chainId}n, '${DOMAIN.verifyingContract}')
  const withdrawal = signWithdrawal(secret, 'cardio', domain)
  console.log(JSON.stringify({ tag: consentKeys(secret, 'cardio').tag, withdrawal, signed: isSigned(withdrawal, domain) }))
`

describe('without Buffer', () => {
  it('keys and signatures are the same', async () => {
    const secret = secretOf('Ann')
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', IN_A_BROWSER, JSON.stringify([...secret])])
    const withdrawal = signWithdrawal(secret, 'cardio', DOMAIN)
    assert.ok(isSigned(withdrawal, DOMAIN))
    assert.deepEqual(JSON.parse(stdout), { tag: consentKeys(secret, 'cardio').tag, withdrawal, signed: true })
  })
})
