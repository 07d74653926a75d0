import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 as keccak } from '@noble/hashes/sha3.js'
import { concat, fromHex, toHex, utf8 } from '#base/bytes.ts'
import type { Address } from '#base/ids.ts'
import { addressOf } from './keys.ts'

/** EIP-712 domain of ConsentRegistry, as the contract says it. What is signed for one chain and registry is nothing on another. */
export interface ConsentDomain {
  readonly name: 'Rota'
  readonly version: '1'
  readonly chainId: bigint
  readonly verifyingContract: string
}

/** @see contracts/interfaces/IConsentRegistry.sol */
export const consentDomain = (chainId: bigint, consentRegistry: string): ConsentDomain => ({
  name: 'Rota',
  version: '1',
  chainId,
  verifyingContract: consentRegistry,
})

/**
 * What is signed: keccak256(0x1901 ‖ domain separator ‖ keccak256(type ‖ fields)).
 * @param type as EIP-712's encodeType writes it: Name(type name,…)
 * @param fields 32 bytes each, in the order of the type
 * @see https://eips.ethereum.org/EIPS/eip-712
 */
export const typedDigest = (domain: ConsentDomain, type: string, fields: readonly Uint8Array[]): Uint8Array =>
  keccak(concat(Uint8Array.of(0x19, 0x01), domainSeparator(domain), keccak(concat(keccak(utf8(type)), ...fields))))

const domainSeparator = ({ name, version, chainId, verifyingContract }: ConsentDomain): Uint8Array =>
  keccak(concat(DOMAIN_TYPE, textField(name), textField(version), numberField(chainId), addressField(verifyingContract)))

const DOMAIN_TYPE = keccak(utf8('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)'))

export const textField = (text: string): Uint8Array => keccak(utf8(text))
/** @param n 0 to 2^256 - 1 */
export const numberField = (n: bigint): Uint8Array => fromHex(n.toString(16).padStart(64, '0'))
const addressField = (account: string): Uint8Array => concat(new Uint8Array(12), fromHex(account))

/** r ‖ s ‖ v, 65 bytes of 0x-hex with v 27 or 28 and s in the lower half: the only form that the contract takes. RFC 6979, so one for each digest. */
export function signDigest(digest: Uint8Array, privateKey: Uint8Array): string {
  const [recovery, ...rs] = secp256k1.sign(digest, privateKey, { prehash: false, format: 'recovered' })
  return toHex(Uint8Array.of(...rs, 27 + (recovery as number)))
}

/** Null where it is no signature that the contract would take. */
export function signerOf(digest: Uint8Array, signature: string): Address | null {
  if (!/^0x[0-9a-f]{128}(1b|1c)$/.test(signature)) return null
  const bytes = fromHex(signature)
  try {
    const parsed = secp256k1.Signature.fromBytes(Uint8Array.of((bytes[64] as number) - 27, ...bytes.subarray(0, 64)), 'recovered')
    return parsed.hasHighS() ? null : addressOf(parsed.recoverPublicKey(digest).toBytes(false))
  } catch {
    return null
  }
}

export const isSignature = (value: unknown): value is string => typeof value === 'string' && /^0x[0-9a-f]{130}$/.test(value)
