import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Signature, SigningKey, TypedDataEncoder } from 'ethers'
import { toHex } from '#base/bytes.ts'
import { address, digest } from '#base/ids.ts'
import { consentKeys, programmeId } from '#patient/keys.ts'
import { consentDomain, numberField, signDigest, signerOf, textField, typedDigest } from '#patient/typed-data.ts'
import { isSigned, readWithdrawal, type SignedWithdrawal, signWithdrawal } from '#patient/withdrawal.ts'
import { DOMAIN, drawn, secretOf } from './support.ts'

// given what EIP-712 says
// ├── digests of random domains and values are those of ethers
// └── signatures too, to the byte
// given a signed withdrawal
// ├── it is what ethers makes, and the registry's domain takes it
// ├── another programme, chain, registry, tag, key or blind is refused
// ├── an altered signature is refused, one with s in the upper half too
// └── what is no withdrawal at all is not read as one

const WITHDRAW = {
  Withdraw: [
    { name: 'programme', type: 'bytes32' },
    { name: 'tag', type: 'bytes32' },
  ],
}
const ASK = {
  Ask: [...WITHDRAW.Withdraw, { name: 'what', type: 'string' }, { name: 'at', type: 'uint64' }],
}

describe('EIP-712 by hand', () => {
  it('gives the digests and signatures of ethers', () => {
    for (let i = 0; i < 50; i++) {
      const [programme, tag, key] = ['programme', 'tag', 'key'].map((what) => drawn(`${what} ${i}`)) as [Uint8Array, Uint8Array, Uint8Array]
      const chainId = BigInt(toHex(drawn(`chain ${i}`, 1 + (i % 8))))
      const domain = consentDomain(chainId, toHex(drawn(`contract ${i}`, 20)))
      const [what, at] = [`question ${'ä'.repeat(i)}`, i * 2 ** 40]
      const withdrawal = typedDigest(domain, 'Withdraw(bytes32 programme,bytes32 tag)', [programme, tag])
      assert.equal(toHex(withdrawal), TypedDataEncoder.hash({ ...domain }, WITHDRAW, { programme, tag }))
      const ask = typedDigest(domain, 'Ask(bytes32 programme,bytes32 tag,string what,uint64 at)', [programme, tag, textField(what), numberField(BigInt(at))])
      assert.equal(toHex(ask), TypedDataEncoder.hash({ ...domain }, ASK, { programme, tag, what, at }))
      const signingKey = new SigningKey(key)
      assert.equal(signDigest(ask, key), signingKey.sign(ask).serialized)
    }
  })
})

const signed = signWithdrawal(secretOf('Ann'), 'cardio', DOMAIN)

describe('a signed withdrawal', () => {
  it('is what the registry takes', () => {
    const keys = consentKeys(secretOf('Ann'), 'cardio')
    const hash = TypedDataEncoder.hash({ ...DOMAIN }, WITHDRAW, { programme: programmeId('cardio'), tag: keys.tag })
    assert.deepEqual(signed, {
      programme: programmeId('cardio'),
      blind: keys.blind,
      patientKey: keys.oneTimeAddress,
      tag: keys.tag,
      signature: new SigningKey(keys.privateKey).sign(hash).serialized,
    })
    assert.ok(isSigned(signed, DOMAIN))
    assert.deepEqual(readWithdrawal(JSON.parse(JSON.stringify({ ...signed, more: 1 }))), signed)
  })

  it('is nothing for another programme, chain or registry, nor with a tag, key or blind of another consent', () => {
    const other = signWithdrawal(secretOf('Bob'), 'cardio', DOMAIN)
    const elsewhere = signWithdrawal(secretOf('Ann'), 'other', DOMAIN)
    const forged: SignedWithdrawal[] = [
      { ...signed, programme: programmeId('other') },
      { ...signed, tag: other.tag },
      { ...signed, blind: other.blind },
      { ...signed, patientKey: other.patientKey },
      { ...signed, signature: other.signature },
      { ...signed, signature: elsewhere.signature },
      { ...signed, blind: other.blind, patientKey: other.patientKey, tag: other.tag },
    ]
    for (const one of forged) assert.equal(isSigned(one, DOMAIN), false)
    assert.equal(isSigned(signed, consentDomain(1n, DOMAIN.verifyingContract)), false)
    assert.equal(isSigned(signed, consentDomain(DOMAIN.chainId, toHex(drawn('another', 20)))), false)
  })

  it('is nothing with an altered signature, nor with the other s that fits', () => {
    for (let i = 0; i < 65; i++) {
      const at = 2 + 2 * i
      const bytes = signed.signature.slice(0, at) + (signed.signature[at] === '0' ? '1' : '0') + signed.signature.slice(at + 1)
      assert.equal(isSigned({ ...signed, signature: bytes }, DOMAIN), false, `byte ${i}`)
    }
    const { r, s, v } = Signature.from(signed.signature)
    const upper = (SECP256K1_ORDER - BigInt(s)).toString(16).padStart(64, '0')
    const malleable = `${r}${upper}${v === 27 ? '1c' : '1b'}`
    const hash = typedDigest(DOMAIN, 'Withdraw(bytes32 programme,bytes32 tag)', [drawn('a'), drawn('b')])
    assert.equal(isSigned({ ...signed, signature: malleable }, DOMAIN), false)
    for (const signature of ['', '0x', `0x${'00'.repeat(65)}`, `0x${'00'.repeat(64)}1b`, `0x${'ff'.repeat(64)}1b`])
      assert.equal(signerOf(hash, signature), null)
  })

  it('is not read from anything else', () => {
    const rest = { tag: digest(toHex(drawn('x'))), patientKey: address(toHex(drawn('x', 20))) }
    const wrong = [null, 1, 'x', [], {}, rest, { ...signed, tag: `${signed.tag}0` }, { ...signed, signature: 'x' }, { ...signed, blind: [signed.blind] }]
    for (const value of wrong) assert.equal(readWithdrawal(value), null)
  })
})

/** SEC 2, section 2.4.1. */
const SECP256K1_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
