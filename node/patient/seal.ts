import { fromHex, toDigest, utf8 } from '#base/bytes.ts'
import { type Address, type Digest, isAddress, isDigest } from '#base/ids.ts'
import { canonicalJson } from './canonical-json.ts'
import { sha256 } from './sha256.ts'
import { type ConsentDomain, isSignature, signDigest, signerOf, typedDigest } from './typed-data.ts'

/**
 * How a site countersigns what it hands out. The digest finds one altered character; the signature, that nobody else wrote it; the chain says
 * whose the account is.
 */
export interface Seal {
  /** SHA-256 of the canonical JSON of all but the seal itself and what only the patient knows. */
  readonly digest: Digest
  /** The site's node account. */
  readonly account: Address
  /** EIP-712 in the registry's domain: Receipt(bytes32 digest). */
  readonly signature: string
}

/**
 * Left out of the digest: the secret follows from nothing here but gives tag and address, which are in it; the card is made from the rest and
 * the secret. So a site can countersign a consent whose secret it never saw, and a receipt can be shown without its secret.
 */
const UNSEALED = ['seal', 'secret', 'card']

const RECEIPT = 'Receipt(bytes32 digest)'

export const contentDigest = (document: object): Digest =>
  toDigest(sha256(utf8(canonicalJson(Object.fromEntries(Object.entries(document).filter(([key]) => !UNSEALED.includes(key)))))))

/** @param nodeKey private key of the site's node account */
export function sealOf(document: object, signer: { readonly account: Address; readonly nodeKey: Uint8Array }, domain: ConsentDomain): Seal {
  const digest = contentDigest(document)
  return { digest, account: signer.account, signature: signDigest(typedDigest(domain, RECEIPT, [fromHex(digest)]), signer.nodeKey) }
}

/** Whether a document is what the account of its seal signed. That the account is a site's, the chain says. */
export function isSealed(document: { readonly seal?: unknown }, domain: ConsentDomain): boolean {
  const { digest, account, signature } = (document.seal ?? {}) as Partial<Seal>
  if (!isDigest(digest) || !isAddress(account) || !isSignature(signature) || Object.keys(document.seal as Seal).length !== 3) return false
  return contentDigest(document) === digest && signerOf(typedDigest(domain, RECEIPT, [fromHex(digest)]), signature) === account
}
