import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { utf8 } from '#base/bytes.ts'
import { type ErrorCode, isRotaError } from '#base/errors.ts'
import type { Vault } from '#ports/vault.ts'
import { PREVIOUS_BYTES, WRAP_BYTES } from '#wire/epoch-bundle.ts'

const KEY = new Uint8Array(32).fill(7)
const CONTEXT = utf8('chain, study and epoch')

/**
 * given the vaults of three sites
 * ├── when a key is wrapped for two, both unwrap it, the third gets ROTA-1312; each wrap has the size of the wire format
 * ├── when the context is another, or a wrap was changed, nobody unwraps it
 * ├── when a secret is sealed under a key, whoever has the key opens it; with another key or a changed byte ROTA-1313
 * └── when a digest is keyed, it is the same again, and another for another site, purpose or part
 */
export function vaultCompliance(name: string, makeVaults: () => Promise<readonly [Vault, Vault, Vault]>): void {
  describe(`vault: ${name}`, async () => {
    const [a, b, c] = await makeVaults()
    const fails = (work: () => unknown, ...codes: ErrorCode[]) =>
      assert.throws(work, (error) => codes.some((code) => isRotaError(error, code)) || assert.fail(`${String(error)} is not ${codes.join(' or ')}`))

    it('wraps a key for those who are named', () => {
      const wraps = a.wrap(KEY, [a.encryptionKey, b.encryptionKey], CONTEXT)
      assert.deepEqual(
        wraps.map(({ recipient, wrap }) => [recipient.length, wrap.length]),
        [
          [32, WRAP_BYTES],
          [32, WRAP_BYTES],
        ],
      )
      for (const vault of [a, b]) assert.deepEqual([...vault.unwrap(wraps, CONTEXT)], [...KEY])
      fails(() => c.unwrap(wraps, CONTEXT), 'ROTA-1312')
      fails(() => a.unwrap([], CONTEXT), 'ROTA-1312')
    })

    it('opens no wrap of another context, and none that was changed', () => {
      const [wrapped] = a.wrap(KEY, [b.encryptionKey], CONTEXT)
      assert.ok(wrapped)
      fails(() => b.unwrap([wrapped], utf8('another epoch')), 'ROTA-1312', 'ROTA-1313')
      fails(() => b.unwrap([{ ...wrapped, wrap: changed(wrapped.wrap) }], CONTEXT), 'ROTA-1312', 'ROTA-1313')
    })

    it('seals a secret under a key', () => {
      const under = new Uint8Array(32).fill(9)
      const sealed = a.seal(KEY, under)
      assert.equal(sealed.length, PREVIOUS_BYTES)
      assert.deepEqual([...c.open(sealed, under)], [...KEY])
      fails(() => c.open(sealed, KEY), 'ROTA-1313')
      fails(() => c.open(changed(sealed), under), 'ROTA-1313')
      fails(() => c.open(sealed.subarray(0, 20), under), 'ROTA-1313')
    })

    it('gives keyed digests that are its own', () => {
      const digest = a.keyedDigest('patient', utf8('one'))
      assert.equal(a.keyedDigest('patient', utf8('one')), digest)
      const others = [b.keyedDigest('patient', utf8('one')), a.keyedDigest('tag', utf8('one')), a.keyedDigest('patient', utf8('two'))]
      assert.equal(new Set([digest, ...others]).size, 4)
      assert.equal(new Set([a, b, c].map((vault) => vault.encryptionKey)).size, 3)
      assert.equal(new Set([a, b, c].map((vault) => vault.nodeAccount)).size, 3)
    })
  })
}

/** The last byte, so that it is part of the tag in any layout. */
function changed(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice()
  copy[copy.length - 1] = (copy.at(-1) as number) ^ 1
  return copy
}
