import { fromHex } from '#base/bytes.ts'
import { type Address, type Digest, isAddress, isDigest } from '#base/ids.ts'
import { consentKeys, programmeId, tagOf } from './keys.ts'
import { type ConsentDomain, isSignature, numberField, signDigest, signerOf, textField, typedDigest } from './typed-data.ts'

/**
 * A question that only the holder of a receipt may put to a site's portal, signed by its one-time key. It tells the portal blind and address,
 * which a withdrawal tells everybody: the portal keeps neither.
 */
export interface SignedRequest {
  readonly programme: Digest
  readonly tag: Digest
  readonly blind: Digest
  readonly patientKey: Address
  /** What is asked, in the portal's words: another question needs another signature. */
  readonly what: string
  /** Unix seconds by the portal's clock, not the asker's, which may be wrong. */
  readonly at: number
  readonly signature: string
}

/** The type that is signed; another than a withdrawal's, so that neither can stand for the other. */
const ASK = 'Ask(bytes32 programme,bytes32 tag,string what,uint64 at)'

/** Longer, and a copy of it would be good for long; shorter, and a slow line would be locked out. Both ways, for clocks that are apart. */
export const REQUEST_GOOD_SECONDS = 300

/** Longer questions are not ours. */
const LONGEST_WHAT = 200

type Asked = Pick<SignedRequest, 'programme' | 'tag' | 'what' | 'at'>

const askDigest = (domain: ConsentDomain, { programme, tag, what, at }: Asked): Uint8Array =>
  typedDigest(domain, ASK, [fromHex(programme), fromHex(tag), textField(what), numberField(BigInt(at))])

/** @param at Unix seconds, as the portal said them */
export function signRequest(secret: Uint8Array, programme: string, { what, at }: Pick<Asked, 'what' | 'at'>, domain: ConsentDomain): SignedRequest {
  const { tag, oneTimeAddress, blind, privateKey } = consentKeys(secret, programme)
  const asked = { programme: programmeId(programme), tag, what, at }
  return { ...asked, blind, patientKey: oneTimeAddress, signature: signDigest(askDigest(domain, asked), privateKey) }
}

/** Whose key signed a question, from what was kept of it; null where the signature is none. */
export const requestSigner = (asked: Asked, signature: string, domain: ConsentDomain): Address | null => signerOf(askDigest(domain, asked), signature)

/** What a portal holds a request against. */
export interface ExpectedRequest {
  readonly programme: Digest
  readonly what: string
  /** Unix seconds. */
  readonly now: number
}

export type RequestFault = 'forged' | 'expired' | 'another programme' | 'another question'

/** Why a request is not answered; null where it is. */
export function requestFault(request: SignedRequest, expected: ExpectedRequest, domain: ConsentDomain): RequestFault | null {
  const { programme, tag, blind, patientKey, what, at, signature } = request
  if (tagOf(blind, patientKey) !== tag || signerOf(askDigest(domain, request), signature) !== patientKey) return 'forged'
  if (programme !== expected.programme) return 'another programme'
  if (what !== expected.what) return 'another question'
  return Math.abs(expected.now - at) > REQUEST_GOOD_SECONDS ? 'expired' : null
}

export const isRequest = (request: SignedRequest, expected: ExpectedRequest, domain: ConsentDomain): boolean => requestFault(request, expected, domain) === null

/** Reads what somebody sent; null where it is none. Says nothing of the signature. */
export function readRequest(value: unknown): SignedRequest | null {
  if (typeof value !== 'object' || value === null) return null
  const { programme, tag, blind, patientKey, what, at, signature } = value as Partial<SignedRequest>
  const named = isDigest(programme) && isDigest(tag) && isDigest(blind) && isAddress(patientKey)
  const asks = typeof what === 'string' && what.length <= LONGEST_WHAT && Number.isSafeInteger(at) && (at as number) >= 0
  return named && asks && isSignature(signature) ? { programme, tag, blind, patientKey, what, at: at as number, signature } : null
}
