import { equalBytes, fromHex, type Sha256, toHex } from '#base/bytes.ts'
import { type Digest, isDigest, roundNo, runId } from '#base/ids.ts'
import { cohortEntry, grantKey, paddedCohort, paddedGrants, secretCommitment } from './cohort-map.ts'
import { type ChainRecord, isProgramme } from './cohort-proof.ts'
import { buildCountedMap } from './counted-map.ts'
import { buildKeyedMap, type KeyedMap, type MapEntry } from './keyed-map.ts'

/**
 * A round's cohort, opened to an auditor: that it lies within the consents of the epoch that stood, and that nobody in it had withdrawn.
 * Whoever is given it learns how many there are and which of them withdraw later, since a withdrawn tag is public; no name and no other tag.
 */
export interface CohortOpening {
  readonly version: 1
  readonly programme: string
  readonly site: number
  readonly run: number
  readonly round: number
  /** Of each member. */
  readonly secrets: readonly string[]
  readonly pad: string
  /** The consents that stood when the site contributed; null before its first root. */
  readonly granted: { readonly epoch: number; readonly entries: readonly (readonly [key: string, value: string])[]; readonly pad: string } | null
}

/** The chain's record with every tag that was withdrawn under the programme. */
export type AuditedRecord = Omit<ChainRecord, 'withdrawnAtBlock'> & { readonly withdrawn: readonly { readonly tag: Digest; readonly block: number }[] }

export interface OpeningVerdict {
  readonly holds: boolean
  /** Whose cohort it is, by the file: whoever asked another hospital sees it here. */
  readonly site: number
  readonly run: number
  readonly round: number
  readonly members: number
  /** Members for whom no consent stood: none may be where the lawful basis is consent. */
  readonly withoutConsent: number
  /** Members whose withdrawal was on chain when the round opened. */
  readonly withdrawn: number
  readonly faults: readonly string[]
}

/** @param optOut the programme's lawful basis lets records be used without a consent until somebody objects */
export function judgeOpening(opening: CohortOpening, chain: AuditedRecord, optOut: boolean, sha256: Sha256): OpeningVerdict {
  const secrets = opening.secrets.map(fromHex)
  const consents = opening.granted?.entries.map(([key, value]) => ({ key: fromHex(key), value: fromHex(value) })) ?? []
  const consentOf = new Map(consents.map(({ key, value }) => [toHex(value), toHex(key)]))
  const standing = secrets.flatMap((secret) => consentOf.get(toHex(secretCommitment(secret, sha256))) ?? [])
  const gone = new Set(chain.withdrawn.filter(({ block }) => block <= chain.openedAtBlock).map(({ tag }) => toHex(grantKey(fromHex(tag), sha256))))
  const [withoutConsent, withdrawn] = [secrets.length - standing.length, standing.filter((key) => gone.has(key)).length]
  const faults = [
    ...(isDeclared(opening, secrets, chain, sha256) ? [] : ['the members shown are not the cohort that the hospital declared']),
    ...grantFaults(opening, consents, chain, sha256),
    ...(new Set(opening.secrets).size === secrets.length ? [] : ['a member is shown twice']),
    // One of them may be withdrawn: the chain would show the same member as in and as out.
    ...(consentOf.size === consents.length ? [] : ['two consents are of one cohort secret']),
    ...(withoutConsent > 0 && !optOut ? [`${withoutConsent} members had no standing consent`] : []),
    ...(withdrawn > 0 ? [`${withdrawn} members had withdrawn before the round opened`] : []),
  ]
  return { holds: faults.length === 0, site: opening.site, run: opening.run, round: opening.round, members: secrets.length, withoutConsent, withdrawn, faults }
}

function isDeclared({ run, round, pad }: CohortOpening, secrets: readonly Uint8Array[], { contributed, network }: AuditedRecord, sha256: Sha256): boolean {
  const place = { network, run: runId(run), round: roundNo(round) }
  const entries = secrets.map((secret) => cohortEntry(secret, place, sha256))
  return contributed !== null && isRoot(contributed.root, paddedCohort(entries, fromHex(pad), sha256), buildCountedMap, sha256)
}

/** Padding is shown to be padding: a consent that was hidden among it would have to be another's hash. */
function grantFaults({ granted }: CohortOpening, consents: readonly MapEntry[], { epochs, contributed }: AuditedRecord, sha256: Sha256): readonly string[] {
  const stood = epochs.findLast(({ block }) => block <= (contributed?.block ?? 0))
  if (stood === undefined) return granted === null ? [] : ['no root of consents stood when the hospital contributed']
  if (granted?.epoch !== stood.epoch) return [`the consents shown are not those of epoch ${stood.epoch}, which stood when the hospital contributed`]
  const whole = isRoot(stood.root, paddedGrants(consents, fromHex(granted.pad), sha256), buildKeyedMap, sha256)
  return whole ? [] : [`the consents shown are not those whose root the hospital put on chain for epoch ${stood.epoch}`]
}

/** Two entries of one key make no map. */
function isRoot(root: Digest, entries: readonly MapEntry[], build: (entries: readonly MapEntry[], sha256: Sha256) => KeyedMap, sha256: Sha256): boolean {
  if (new Set(entries.map(({ key }) => toHex(key))).size !== entries.length) return false
  return equalBytes(build(entries, sha256).root, fromHex(root))
}

/** Reads an opening that somebody sent; null where it is none. */
export function readCohortOpening(text: string): CohortOpening | null {
  try {
    const o = JSON.parse(text) as Partial<CohortOpening>
    const numbers = [o.site, o.run, o.round].every((n) => typeof n === 'number' && Number.isInteger(n) && n >= 0)
    const members = Array.isArray(o.secrets) && o.secrets.every(isDigest) && isDigest(o.pad)
    return o.version === 1 && isProgramme(o.programme) && numbers && members && isGranted(o.granted) ? (o as CohortOpening) : null
  } catch {
    return null
  }
}

function isGranted(granted: CohortOpening['granted'] | undefined): boolean {
  if (granted === null) return true
  if (typeof granted !== 'object' || !Number.isInteger(granted.epoch) || !isDigest(granted.pad) || !Array.isArray(granted.entries)) return false
  return granted.entries.every((entry) => Array.isArray(entry) && entry.length === 2 && entry.every(isDigest))
}
