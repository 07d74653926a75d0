import assert from 'node:assert/strict'
import { hkdfSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { computeAddress, sha256 as ethersSha256, keccak256, solidityPacked } from 'ethers'
import { fromHex, toHex } from '#base/bytes.ts'
import { consentKeys, programmeId, SECRET_BYTES, tagOf } from '#patient/keys.ts'
import { sha256 } from '#patient/sha256.ts'
import { drawn, secretOf } from './support.ts'

// given a patient's secret and a programme
// ├── key, blind, address and tag are those that node:crypto and ethers make of them
// ├── they are what receipts of the first version hold
// └── another secret or programme has nothing in common with them

describe("a patient's keys", () => {
  it('are those that node:crypto and ethers make', () => {
    for (const programme of ['cardio', 'Herz & Kreislauf', '心臓', '']) {
      const secret = secretOf(programme)
      const keys = consentKeys(secret, programme)
      const hkdf = (what: string) => toHex(new Uint8Array(hkdfSync('sha256', secret, 'rota/consent/v1', `${what}/${programme}`, 32)))
      assert.equal(toHex(keys.privateKey), hkdf('key'))
      assert.equal(keys.blind, hkdf('blind'))
      assert.equal(keys.oneTimeAddress, computeAddress(hkdf('key')).toLowerCase())
      assert.equal(keys.tag, keccak256(solidityPacked(['bytes32', 'address'], [keys.blind, keys.oneTimeAddress])))
      assert.equal(tagOf(keys.blind, keys.oneTimeAddress), keys.tag)
    }
  })

  it('are what receipts that were handed out before hold', () => {
    // Made by Rota 0.1.0: a receipt in somebody's drawer must work for ever.
    const { tag, oneTimeAddress, blind } = consentKeys(fromHex('000102030405060708090a0b0c0d0e0f'), 'research')
    assert.deepEqual({ tag, oneTimeAddress, blind, programme: programmeId('research') }, GOLDEN)
  })

  it('have nothing in common with those of another programme or secret', () => {
    const all = [consentKeys(secretOf('Ann'), 'a'), consentKeys(secretOf('Ann'), 'b'), consentKeys(secretOf('Bob'), 'a')]
    for (const field of ['tag', 'blind', 'oneTimeAddress'] as const) assert.equal(new Set(all.map((keys) => keys[field])).size, 3)
    assert.equal(secretOf('Ann').length, SECRET_BYTES)
  })
})

describe('SHA-256 in the hand of the patient', () => {
  it('is SHA-256, in one part or several', () => {
    for (const length of [0, 1, 55, 64, 1000]) {
      const bytes = drawn(`${length}`, length)
      assert.equal(toHex(sha256(bytes)), ethersSha256(bytes))
      assert.equal(toHex(sha256(bytes.subarray(0, length >> 1), bytes.subarray(length >> 1))), ethersSha256(bytes))
    }
    assert.equal(toHex(sha256()), ethersSha256('0x'))
  })
})

const GOLDEN = {
  tag: '0xc85bc7b5c72cb591195591cd519ad95c8b2cff676a55630893c2021654907223',
  oneTimeAddress: '0xd0ac597fbb76e9e63397ddc434ae47cbf11b0833',
  blind: '0xab4702efc56403ad166380c8e05a78ed3e20da8790702c263afe53f4e53fb966',
  programme: '0x4a29dcb9b328c88f5b2bb6edde3f156d0f69f3c104034f453a0ef47d2d2700e9',
}
