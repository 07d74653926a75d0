import { fromHex, type Sha256, toHex, utf8 } from '#base/bytes.ts'
import { type Digest, isDigest, roundNo, runId } from '#base/ids.ts'
import { type CohortPlace, cohortKey, grantKey, MIN_ENTRIES, PRESENT, padEntry, secretCommitment, word32 } from './cohort-map.ts'
import type { AuditedRecord } from './cohort-opening.ts'
import { areSiblings, isCounts, isProgramme, placedIn, shownIn } from './cohort-proof.ts'

/**
 * A few members of a round's cohort, drawn by lot and opened to an auditor: that each had a consent that stood, and had not withdrawn. Each entry is a
 * proof by itself, of less than 4 kB. Who made it could not choose which: places come from a coin that was not known when the cohort's root went on
 * chain, and a place has one entry (`counted-map.ts`).
 *
 * Whoever is given it learns of the members drawn what an opened cohort tells of all (`cohort-opening.ts`), and of the others nothing but how many entries
 * there are, padding included.
 */
export interface CohortSample {
  readonly version: 1
  readonly programme: string
  readonly site: number
  readonly run: number
  readonly round: number
  /** What whoever asked drew, 32 bytes; null: a block's hash is the coin, `coinBlock`. */
  readonly seed: string | null
  /** Of the consents that stood when the site contributed; null before its first root. */
  readonly epoch: number | null
  /** In the order in which they were drawn; one may be drawn again. */
  readonly drawn: readonly DrawnEntry[]
}

/** A member by its secret, or padding by its seed, and the way from the cohort's root. */
export type DrawnEntry = DrawnMember | { readonly pad: string; readonly way: Way }

interface DrawnMember {
  readonly secret: string
  /** Null: no consent stood. The tag itself, though its hash would tell no less once it is withdrawn: of the chain's thousands none has to be hashed. */
  readonly consent: { readonly tag: string; readonly siblings: readonly string[] } | null
  readonly way: Way
}

interface Way {
  readonly siblings: readonly string[]
  readonly counts: readonly number[]
}

/** What a chance of `caught` stands beside: a cohort of whose members this share may not be in it. */
export interface Chance {
  readonly share: number
  readonly caught: number
}

export interface SampleVerdict {
  /** False too where no member was drawn, without a fault: nothing is shown. */
  readonly holds: boolean
  readonly programme: string
  readonly site: number
  readonly run: number
  readonly round: number
  readonly drawn: number
  /** Of those drawn. */
  readonly members: number
  readonly withoutConsent: number
  readonly withdrawn: number
  /** How likely such a sample finds out a cohort that is wrong: evidence, no certainty. */
  readonly chances: readonly Chance[]
  /** A larger share that may not be in it would have been found out in 95 of 100 samples. */
  readonly leastFound: number
  readonly faults: readonly string[]
}

/** Entries drawn at most: who wants to see more opens the whole cohort. */
export const MOST_DRAWN = 1_000

/**
 * Whose hash is the coin where nobody asks: it was not there when the root went on chain. It is not out of reach: among 1, 2, 4 or 8 validators in turn
 * that block is made by the one who made the contribution's, a site can time its contribution so that its own validator makes it, and who makes it can
 * try hashes. So it convinces who trusts that maker; an auditor's own seed asks for no such trust.
 */
export const coinBlock = (contributedAtBlock: number): number => contributedAtBlock + COIN_AFTER_BLOCKS
const COIN_AFTER_BLOCKS = 8

/** What places of one cohort are drawn by. @param seed 32 bytes that could not be known when the root went on chain */
export const coinOf = ({ network, run, round }: CohortPlace, site: number, root: Digest, seed: Uint8Array, sha256: Sha256): Uint8Array =>
  sha256(COIN, network, word32(site), word32(run), word32(round), fromHex(root), seed)

/** The place of draw `i`: 48 bits, so that of 2^32 places none is likelier than another by more than 2^-16 of its chance; of 100,000 by 4e-10. */
export function drawnPlace(coin: Uint8Array, i: number, count: number, sha256: Sha256): number {
  const drawn = sha256(DRAW, coin, word32(i))
  let place = 0
  for (let byte = 0; byte < 6; byte++) place = place * 256 + (drawn[byte] as number)
  return place % count
}

/** @param seed what was asked with, or the coin block's hash: never what the sample says */
export function judgeSample(sample: CohortSample, seed: Uint8Array, chain: AuditedRecord, sha256: Sha256): SampleVerdict {
  const place = { network: chain.network, run: runId(sample.run), round: roundNo(sample.round) }
  const root = chain.contributed?.root ?? null
  const coin = root === null ? null : coinOf(place, sample.site, root, seed, sha256)
  const whose = judgeConsents(sample, chain, sha256)
  const found = sample.drawn.map((entry, i): Found => {
    if (root === null || coin === null) return { fault: 'the hospital declared no cohort in this round' }
    return foundAs(entry, i, coin, root, place, sha256)
  })
  const judged = sample.drawn.map((entry, i) => {
    const { fault } = found[i] as Found
    if (fault !== null) return { is: 'unproven', fault }
    return 'pad' in entry ? { is: 'padding', fault: null } : whose(entry)
  })
  const number = (is: string): number => judged.filter((entry) => entry.is === is).length
  const [withoutConsent, withdrawn] = [number('without consent'), number('withdrawn')]
  const members = number('member') + withoutConsent + withdrawn
  const [leaves] = found.flatMap((each) => (each.fault === null ? [each.leaves] : []))
  const padding = leaves === undefined ? null : whyNotPadded(leaves, members, number('padding'))
  const faults = [...judged.flatMap(({ fault }, i) => (fault === null ? [] : [`draw ${i + 1}: ${fault}`])), ...(padding === null ? [] : [padding])]
  const { programme, site, run, round, drawn } = sample
  const figures = { chances: SHARES.map((share) => ({ share, caught: 1 - (1 - share) ** members })), leastFound: members === 0 ? 1 : 1 - 0.05 ** (1 / members) }
  return { holds: faults.length === 0 && members > 0, programme, site, run, round, drawn: drawn.length, members, withoutConsent, withdrawn, ...figures, faults }
}

type Found = { readonly fault: string } | { readonly fault: null; readonly leaves: number }

/** Why an entry is not the one at the place that was drawn; where it is, how many leaves the cohort's root commits to. */
function foundAs(entry: DrawnEntry, i: number, coin: Uint8Array, root: Digest, place: CohortPlace, sha256: Sha256): Found {
  const key = 'pad' in entry ? padEntry(fromHex(entry.pad), sha256).key : cohortKey(fromHex(entry.secret), place, sha256)
  const shown = placedIn(root, key, { end: { key: toHex(key), value: toHex(PRESENT) }, ...entry.way }, sha256)
  if (shown === null) return { fault: 'it does not lead to the cohort that the hospital declared' }
  const asked = drawnPlace(coin, i, shown.count, sha256)
  if (shown.place !== asked) return { fault: `place ${asked} of ${shown.count} was drawn, and place ${shown.place} is shown` }
  return { fault: null, leaves: shown.count }
}

/**
 * Why padding up to a power of two (`cohort-map.ts`) cannot have made these leaves; null where it can. A site that pads further is drawn from in vain: no lot
 * falls on a hundred members among millions of leaves. Of more than 16 leaves more than half are members; fewer are drawn by chance in one honest sample of
 * a million at most.
 */
function whyNotPadded(leaves: number, members: number, padding: number): string | null {
  if (leaves < MIN_ENTRIES || !Number.isInteger(Math.log2(leaves))) return `the cohort has ${leaves} leaves, which is no power of two from ${MIN_ENTRIES} on`
  if (leaves === MIN_ENTRIES || atMostByHalves(members + padding, members) >= 1e-6) return null
  return `${members} of ${members + padding} drawn are members: of ${leaves} leaves more than half have to be`
}

/** How likely that of so many even chances at most `most` come true. @param of below 1,023, so that 2^-of is a number */
function atMostByHalves(of: number, most: number): number {
  let [sum, one] = [0, 0.5 ** of]
  for (let k = 0; k <= most; one *= (of - k) / ++k) sum += one
  return sum
}

/** Judges a member's consent by the epoch that stood and the withdrawals that were on chain when the round opened. */
function judgeConsents({ epoch }: CohortSample, { epochs, contributed, withdrawn, openedAtBlock }: AuditedRecord, sha256: Sha256) {
  const stood = epochs.findLast(({ block }) => block <= (contributed?.block ?? 0))
  const gone = new Map<string, number>(withdrawn.flatMap(({ tag, block }) => (block <= openedAtBlock ? [[tag, block]] : [])))
  return ({ secret, consent }: DrawnMember): { readonly is: string; readonly fault: string | null } => {
    if (consent === null || stood === undefined) return { is: 'without consent', fault: 'a member for whom no consent stood' }
    if (epoch !== stood.epoch)
      return { is: 'without consent', fault: `the consent shown is not of epoch ${stood.epoch}, which stood when the hospital contributed` }
    const { tag, siblings } = consent
    const key = grantKey(fromHex(tag), sha256)
    const end = { key: toHex(key), value: toHex(secretCommitment(fromHex(secret), sha256)) }
    if (shownIn(stood.root, key, { end, siblings }, sha256)?.present !== true)
      return { is: 'without consent', fault: `no consent of this member is shown in epoch ${stood.epoch}` }
    const block = gone.get(tag)
    if (block === undefined) return { is: 'member', fault: null }
    return { is: 'withdrawn', fault: `a member who had withdrawn in block ${block}; the round opened in block ${openedAtBlock}` }
  }
}

/** What an auditor asks a site: to open so many entries of a round's cohort, drawn by this seed. Made once the cohort's root is on chain. */
export interface CohortQuestion {
  readonly version: 1
  readonly site: number
  readonly run: number
  readonly round: number
  readonly draws: number
  /** 32 random bytes. */
  readonly seed: string
}

/** Reads a question that somebody sent; null where it is none. */
export function readCohortQuestion(text: string): CohortQuestion | null {
  try {
    const q = JSON.parse(text) as Partial<CohortQuestion>
    const numbers = [q.site, q.run, q.round, q.draws].every(isCount) && (q.draws as number) >= 1 && (q.draws as number) <= MOST_DRAWN
    return q.version === 1 && numbers && isDigest(q.seed) ? (q as CohortQuestion) : null
  } catch {
    return null
  }
}

/** What a sample answers otherwise than it was asked; null: nothing. */
export function otherThanAsked(sample: CohortSample, question: CohortQuestion): 'site' | 'run' | 'round' | 'seed' | 'number of draws' | null {
  for (const field of ['site', 'run', 'round', 'seed'] as const) if (sample[field] !== question[field]) return field
  return sample.drawn.length === question.draws ? null : 'number of draws'
}

/** Reads a sample that somebody sent; null where it is none. */
export function readCohortSample(text: string): CohortSample | null {
  try {
    const s = JSON.parse(text) as Partial<CohortSample>
    const numbers = [s.site, s.run, s.round].every(isCount) && (s.epoch === null || isCount(s.epoch))
    const drawn = Array.isArray(s.drawn) && s.drawn.length > 0 && s.drawn.length <= MOST_DRAWN && s.drawn.every(isDrawn)
    const seed = s.seed === null || isDigest(s.seed)
    return s.version === 1 && isProgramme(s.programme) && numbers && seed && drawn ? (s as CohortSample) : null
  } catch {
    return null
  }
}

const isCount = (n: unknown): boolean => typeof n === 'number' && Number.isInteger(n) && n >= 0

function isDrawn(entry: unknown): boolean {
  const e = entry as Partial<DrawnMember & { pad: string }> | null
  if (typeof e !== 'object' || e === null || !areSiblings(e.way?.siblings) || !isCounts(e.way.counts, e.way.siblings)) return false
  if (e.pad !== undefined) return isDigest(e.pad)
  return isDigest(e.secret) && (e.consent === null || (isDigest(e.consent?.tag) && areSiblings(e.consent?.siblings)))
}

const SHARES = [0.01, 0.05, 0.1]
const COIN = utf8('rota/cohort-coin/1')
const DRAW = utf8('rota/cohort-draw/1')
