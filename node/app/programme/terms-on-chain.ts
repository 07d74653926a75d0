import { fromHex, toDigest } from '#base/bytes.ts'
import type { Digest, SiteId } from '#base/ids.ts'
import { expiresAt, type Terms, type TermsRef } from '#core/consent/terms.ts'
import type { ChainEvent, ChainReader } from '#ports/chain.ts'
import { programmeId } from '#wire/programme.ts'
import { decodeTerms } from '#wire/terms.ts'
import { sha256 } from '../sha256.ts'

/** One version as the chain has it. */
export interface PublishedTerms {
  readonly terms: Terms
  readonly digest: Digest
  /** Whose steward published it: the programme's keeper. */
  readonly site: SiteId
  readonly block: number
  /** Chain time in seconds. */
  readonly publishedAt: number
}

type Published = Extract<ChainEvent, { kind: 'TermsPublished' }>

/**
 * All versions of a programme's terms, oldest first. A version whose text is no terms, or says something else than the call that published
 * it, counts for nothing: it was not made with this program.
 */
export async function termsUnder(chain: Pick<ChainReader, 'events'>, programme: string): Promise<readonly PublishedTerms[]> {
  const id = programmeId(programme, sha256)
  return (await chain.events(0, { kinds: ['TermsPublished'] })).flatMap((e) => (e.kind === 'TermsPublished' && e.programme === id ? (readable(e) ?? []) : []))
}

/** Null for a programme without terms. */
export const newestTerms = async (chain: Pick<ChainReader, 'events'>, programme: string): Promise<PublishedTerms | null> =>
  (await termsUnder(chain, programme)).at(-1) ?? null

/** The newest terms of every programme that has some. */
export async function programmesWithTerms(chain: Pick<ChainReader, 'events'>): Promise<ReadonlyMap<string, PublishedTerms>> {
  const all = await chain.events(0, { kinds: ['TermsPublished'] })
  const known = all.flatMap((e) => (e.kind === 'TermsPublished' ? (readable(e) ?? []) : []))
  return new Map(known.map((published) => [published.terms.programme, published]))
}

export const refOf = ({ terms, digest }: PublishedTerms): TermsRef => ({ version: terms.version, digest })

/** Each log is read once: programmes are asked for in every round. */
const read = new WeakMap<Published, PublishedTerms | null>()

function readable(event: Published): PublishedTerms | null {
  const known = read.get(event)
  if (known !== undefined) return known
  const found = published(event)
  read.set(event, found)
  return found
}

function published({ programme, version, digest, site, basis, expiresAt: expiry, ombudsman, text, block, timestamp }: Published): PublishedTerms | null {
  const terms = termsIn(text)
  if (terms === null || toDigest(sha256(fromHex(text))) !== digest) return null
  const same =
    programmeId(terms.programme, sha256) === programme &&
    terms.version === version &&
    terms.lawfulBasis === basis &&
    expiresAt(terms) === expiry &&
    (terms.ombudsman?.address ?? null) === ombudsman
  return same ? { terms, digest, site, block, publishedAt: timestamp } : null
}

function termsIn(text: string): Terms | null {
  try {
    return decodeTerms(fromHex(text))
  } catch {
    return null
  }
}
