import { createPrivateKey, createPublicKey, diffieHellman, hkdfSync, type KeyObject } from 'node:crypto'
import { concat } from '#base/bytes.ts'
import type { SiteId } from '#base/ids.ts'
import { sha256 } from '../digest.ts'
import { label, type MaskRound } from './mask-round.ts'

/** What keys and hashes of masks are made of, written a second time for the audit; HKDF-SHA-256 and X25519 are Node's. */
const derive = (secret: Uint8Array, salt: Uint8Array, info: Uint8Array): Uint8Array => new Uint8Array(hkdfSync('sha256', secret, salt, info, 32))

const NO_SALT = new Uint8Array(32)

/** What a dealer says of its self seed before anybody masks. */
export const selfCommitmentOf = ({ ctx }: MaskRound, dealer: SiteId, seed: Uint8Array): Uint8Array => sha256(label('self seed', dealer), ctx, seed)

/** What a dealer says of each share that it gives out. */
export const shareCommitmentOf = (kind: 'self' | 'mask', { ctx }: MaskRound, dealer: SiteId, holder: SiteId, share: Uint8Array): Uint8Array =>
  sha256(label(`${kind} share`, dealer, holder), ctx, share)

/** Of the mask that a site alone knows. */
export const selfMaskKey = ({ modelCtx }: MaskRound, site: SiteId, seed: Uint8Array): Uint8Array => derive(seed, modelCtx, label('self', site))

/** The X25519 key of a mask seed. */
export function exchangeKey(seed: Uint8Array): { readonly own: KeyObject; readonly publicKey: Uint8Array } {
  const secret = derive(seed, NO_SALT, label('mask x25519'))
  const own = createPrivateKey({ key: Buffer.concat([PRIVATE_DER, secret]), format: 'der', type: 'pkcs8' })
  return { own, publicKey: new Uint8Array(createPublicKey(own).export({ format: 'der', type: 'spki' }).subarray(PUBLIC_DER.length)) }
}

/** The lower of two makes the secret of a pair from its mask seed, the upper hides it under one of its own. */
export const pairSecretOf = ({ ctx }: MaskRound, lower: SiteId, upper: SiteId, lowerSeed: Uint8Array): Uint8Array =>
  derive(lowerSeed, ctx, label('pair secret', lower, upper))

export function unhide({ ctx }: MaskRound, lower: SiteId, upper: SiteId, upperSeed: Uint8Array, hidden: Uint8Array): Uint8Array {
  const pad = derive(upperSeed, ctx, label('pair pad', lower, upper))
  return hidden.map((byte, i) => byte ^ (pad[i] as number))
}

/** By which a pair's secret is known: a hash, in the lower one's deal. */
export const pairTagOf = ({ ctx }: MaskRound, lower: SiteId, upper: SiteId, secret: Uint8Array): Uint8Array =>
  sha256(label('pair tag', lower, upper), ctx, secret)

/** Of the mask that two share; null when the other's key is none. */
export function pairMaskKey({ modelCtx }: MaskRound, one: SiteId, other: SiteId, own: KeyObject, otherKey: Uint8Array, secret: Uint8Array): Uint8Array | null {
  try {
    const publicKey = createPublicKey({ key: Buffer.concat([PUBLIC_DER, otherKey]), format: 'der', type: 'spki' })
    const agreed = diffieHellman({ privateKey: own, publicKey })
    return derive(concat(agreed, secret), modelCtx, label('pair', one < other ? one : other, one < other ? other : one))
  } catch {
    return null
  }
}

/** DER headers of X25519 keys, RFC 8410. */
const PRIVATE_DER = Buffer.from('302e020100300506032b656e04220420', 'hex')
const PUBLIC_DER = Buffer.from('302a300506032b656e032100', 'hex')
