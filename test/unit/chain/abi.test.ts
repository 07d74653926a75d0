/**
 * What a node knows of the contracts without a compiler
 * given the compiled contracts, abi.ts is what scripts/generate-abi.ts would write
 * given any error of the contracts, it has its code in the catalogue, with its values in the text
 * given something else, it is told as it is
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { Interface } from 'ethers'
import { ABI } from '#adapters/chain/abi.ts'
import { ARTIFACTS_DIR, readArtifact } from '#adapters/chain/artifacts.ts'
import { contractErrors, mappedErrors, revertError } from '#adapters/chain/reverts.ts'
import { RpcError } from '#adapters/chain/rpc.ts'
import { isRotaError } from '#base/errors.ts'
import { ABI_FILE, abiSource } from '../../../scripts/generate-abi.ts'

describe('abi', () => {
  it('is the one of the compiled contracts', (t) => {
    if (!existsSync(ARTIFACTS_DIR)) return t.skip('the contracts are not compiled: npm run compile')
    assert.ok(readFileSync(ABI_FILE, 'utf8') === abiSource(), 'abi.ts differs from the contracts; run: node scripts/generate-abi.ts')
  })

  it('says which contract is not compiled', () => {
    assert.throws(
      () => readArtifact('RotaDirectory', '/nowhere'),
      (error) => isRotaError(error, 'ROTA-1311'),
    )
  })
})

describe('errors of contracts', () => {
  /** Raised only in constructors, or by one contract to another. */
  const UNSEEN = /^(RotaDirectory_|(Model|Privacy)Ledger_NotCoordinator|InvalidShortString|StringTooLong)/

  it('each have a code, and codes name no unknown error', () => {
    const names = contractErrors().filter((name) => !UNSEEN.test(name))
    assert.deepEqual(
      names.filter((name) => !mappedErrors.has(name)),
      [],
    )
    assert.deepEqual(
      [...mappedErrors].filter((name) => !names.includes(name)),
      [],
    )
  })

  it('fill their texts', () => {
    for (const [contract, lines] of Object.entries(ABI)) {
      const abi = new Interface(lines)
      abi.forEachError((fragment) => {
        if (UNSEEN.test(fragment.name)) return
        const data = abi.encodeErrorResult(
          fragment,
          fragment.inputs.map(({ type }) => (type === 'bytes32' ? `0x${'1'.repeat(64)}` : type === 'address' ? `0x${'2'.repeat(40)}` : 1)),
        )
        const error = revertError(new RpcError('eth_call', { data }))
        assert.doesNotMatch(error.message, /\{\w+\}/, `${contract} ${fragment.name}: ${error.message}`)
        assert.doesNotMatch(error.remedy, /\{\w+\}/, `${contract} ${fragment.name}: ${error.remedy}`)
      })
    }
  })

  it('are found at any depth of an answer, and told raw when unknown', () => {
    const data = new Interface(ABI.RoundCoordinator).encodeErrorResult('RoundCoordinator_AlreadyReady', [3, 2])
    for (const shape of [data, { data }, { data: { data } }]) {
      assert.ok(isRotaError(revertError(new RpcError('eth_call', { data: shape })), 'ROTA-5108'))
    }
    for (const shape of [undefined, '0x', '0x12345678', 'text', 7])
      assert.ok(isRotaError(revertError(new RpcError('eth_call', { message: 'x', data: shape })), 'ROTA-5011'))
  })
})
