import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { concat, equalBytes, fromHex, toDigest, utf8 } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Address, Digest } from '#base/ids.ts'
import type { Vault } from '#ports/vault.ts'
import { digestOf, sha256 } from './hash.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * Opens for the right site and key, and for nobody else in the simulation, in the sizes of the real thing. Hides nothing from
 * a reader of memory: whoever knows a public key can undo a wrap made for it.
 */
export class SimVault implements Vault {
  readonly encryptionKey: Digest
  readonly nodeAccount: Address
  /** Made once: from bytes it would be made anew for each digest, which takes four times as long as the digest. */
  readonly #secret: KeyObject

  constructor(name: string, nodeAccount: Address) {
    this.encryptionKey = digestOf('encryption key', name)
    this.nodeAccount = nodeAccount
    this.#secret = createSecretKey(fromHex(digestOf('vault secret', name)))
  }

  wrap(key: Uint8Array, recipients: readonly Digest[], context: Uint8Array): readonly { readonly recipient: Uint8Array; readonly wrap: Uint8Array }[] {
    return recipients.map((name) => {
      const recipient = fromHex(name)
      const ephemeral = sha256(utf8('ephemeral'), recipient, context)
      return { recipient, wrap: concat(ephemeral, seal(key, sha256(recipient, context))) }
    })
  }

  unwrap(wraps: readonly { readonly recipient: Uint8Array; readonly wrap: Uint8Array }[], context: Uint8Array): Uint8Array {
    const mine = fromHex(this.encryptionKey)
    const found = wraps.find((entry) => equalBytes(entry.recipient, mine))
    if (found === undefined) throw new RotaError('ROTA-1312', { wraps: wraps.length, mine: 0 })
    return open(found.wrap.subarray(32), sha256(mine, context))
  }

  seal(secret: Uint8Array, key: Uint8Array): Uint8Array {
    return seal(secret, key)
  }

  open(sealed: Uint8Array, key: Uint8Array): Uint8Array {
    return open(sealed, key)
  }

  keyedDigest(purpose: string, ...parts: Uint8Array[]): Digest {
    const mac = createHmac('sha256', this.#secret).update(`${purpose}\0`)
    for (const part of parts) mac.update(part)
    return toDigest(new Uint8Array(mac.digest()))
  }
}

/** nonce ‖ secret xor pad ‖ tag; the pad repeats every 32 bytes. */
function seal(secret: Uint8Array, key: Uint8Array): Uint8Array {
  const body = xor(secret, sha256(utf8('pad'), key))
  return concat(sha256(utf8('nonce'), key).subarray(0, NONCE_BYTES), body, tag(body, key))
}

function open(sealed: Uint8Array, key: Uint8Array): Uint8Array {
  const body = sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES)
  const whole = sealed.length >= NONCE_BYTES + TAG_BYTES && equalBytes(sealed.subarray(sealed.length - TAG_BYTES), tag(body, key))
  if (!whole) throw new RotaError('ROTA-1313')
  return xor(body, sha256(utf8('pad'), key))
}

const tag = (body: Uint8Array, key: Uint8Array): Uint8Array => sha256(utf8('tag'), key, body).subarray(0, TAG_BYTES)
const xor = (bytes: Uint8Array, pad: Uint8Array): Uint8Array => bytes.map((byte, i) => byte ^ (pad[i % pad.length] as number))
