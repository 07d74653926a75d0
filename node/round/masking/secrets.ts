import { concat, fromHex, toHex, utf8 } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import { type Digest, type RoundNo, type RunId, type SiteId, siteId } from '#base/ids.ts'
import { AGREEMENT_KEY_BYTES, SEED_BYTES, SHARE_BYTES } from '#core/masking/crypto.ts'
import type { ShownShares } from '#core/masking/graph.ts'
import type { OpenedDeal } from '#core/masking/open-deal.ts'
import { drawSeeds, type RoundKeys, type RoundSeeds, roundKeys } from '#core/masking/round-keys.ts'
import type { JournalEntry } from '#ports/journal.ts'
import type { Site } from '../site.ts'

/** What of a site its secrets need. */
export type SecretSite = Pick<Site, 'chain' | 'vault' | 'journal' | 'masking'> & { readonly host: Pick<Site['host'], 'random'> }

/** What secrets are of. A round that opens otherwise than was foreseen, with other members, has another context: nothing of the first is used in it. */
export interface SecretsOf {
  readonly run: RunId
  readonly round: RoundNo
  readonly ctx: Digest
}

/** Whether secrets of this round and context were drawn, be they burnt since: then no others are. */
export const wereDrawn = ({ journal }: Pick<Site, 'journal'>, of: SecretsOf): boolean => entryOf(journal, of) !== undefined

/** This site's secrets; null where none were drawn, or they are burnt. */
export function ownKeys(site: SecretSite, of: SecretsOf): RoundKeys | null {
  const sealed = entryOf(site.journal, of)?.sealed ?? ''
  if (sealed === '') return null
  try {
    return roundKeys(seedsOf(site.vault.open(fromHex(sealed), sealingKey(site, of))), site.masking)
  } catch (error) {
    // Sealed by another vault: a folder was put together of parts of two.
    if (isRotaError(error)) return null
    throw error
  }
}

/** New secrets, for the journal: there before anybody is told a key. */
export function drawSecrets(site: SecretSite, of: SecretsOf): JournalEntry {
  const { mask, self, channel } = drawSeeds(site.host.random)
  const sealed = site.vault.seal(concat(mask, self, channel), sealingKey(site, of))
  return { kind: 'keys', run: of.run, round: of.round, ctx: of.ctx, sealed: toHex(sealed) }
}

/** What this site has of the deals that it holds, for the journal: a restart does not need its members for it. */
export function sealShares(site: SecretSite, of: Omit<SecretsOf, 'ctx'>, opened: ReadonlyMap<SiteId, OpenedDeal>): string {
  const bytes = [...opened.values()].map(({ dealer, shares, pairSecret, agreed }) =>
    concat(Uint8Array.of(dealer), shares.mask, shares.self, pairSecret ?? NOTHING, agreed ?? NOTHING),
  )
  return toHex(site.vault.seal(concat(...bytes), sealingKey(site, of)))
}

/** @param me has neither secret nor agreement with itself */
export function openShares(site: SecretSite, of: Omit<SecretsOf, 'ctx'>, sealed: string, me: SiteId): OpenedDeal[] {
  if (sealed === '') return []
  const bytes = site.vault.open(fromHex(sealed), sealingKey(site, of))
  return Array.from({ length: bytes.length / HELD_BYTES }, (_, i) => heldOf(bytes.subarray(i * HELD_BYTES, (i + 1) * HELD_BYTES), me))
}

/** What this site dealt, for the journal: should it have to show shares, a restart has them too. */
export function sealDealt(site: SecretSite, of: Omit<SecretsOf, 'ctx'>, shares: ShownShares): string {
  const bytes = [...shares].map(([holder, { mask, self }]) => concat(Uint8Array.of(holder), mask, self))
  return toHex(site.vault.seal(concat(...bytes), sealingKey(site, of)))
}

/** None where they are wiped, or sealed by another vault. */
export function openDealt(site: SecretSite, of: Omit<SecretsOf, 'ctx'>, sealed: string): ShownShares {
  if (sealed === '') return new Map()
  try {
    const bytes = site.vault.open(fromHex(sealed), sealingKey(site, of))
    return new Map(Array.from({ length: bytes.length / DEALT_BYTES }, (_, i) => dealtIn(bytes.subarray(i * DEALT_BYTES, (i + 1) * DEALT_BYTES))))
  } catch (error) {
    if (isRotaError(error)) return new Map()
    throw error
  }
}

const DEALT_BYTES = 1 + 2 * SHARE_BYTES

const dealtIn = (bytes: Uint8Array) => [siteId(bytes[0] as number), sharesIn(bytes)] as const

const sharesIn = (bytes: Uint8Array) => ({ mask: bytes.slice(1, 1 + SHARE_BYTES), self: bytes.slice(1 + SHARE_BYTES, 1 + 2 * SHARE_BYTES) })

const NOTHING = new Uint8Array(SEED_BYTES)
const HELD_BYTES = 1 + 2 * SHARE_BYTES + SEED_BYTES + AGREEMENT_KEY_BYTES

function heldOf(bytes: Uint8Array, me: SiteId): OpenedDeal {
  const dealer = siteId(bytes[0] as number)
  const shares = sharesIn(bytes)
  const [pairSecret, agreed] = [bytes.slice(1 + 2 * SHARE_BYTES, -AGREEMENT_KEY_BYTES), bytes.slice(-AGREEMENT_KEY_BYTES)]
  return dealer === me ? { dealer, shares, pairSecret: null, agreed: null } : { dealer, shares, pairSecret, agreed }
}

function entryOf(journal: Site['journal'], { run, round, ctx }: SecretsOf): { readonly sealed: string } | undefined {
  const entry = journal.entries().findLast((e) => e.kind === 'keys' && e.run === run && e.round === round && e.ctx === ctx)
  return entry?.kind === 'keys' ? entry : undefined
}

const seedsOf = (bytes: Uint8Array): RoundSeeds => ({
  mask: bytes.slice(0, SEED_BYTES),
  self: bytes.slice(SEED_BYTES, 2 * SEED_BYTES),
  channel: bytes.slice(2 * SEED_BYTES, 3 * SEED_BYTES),
})

/** Of this site, chain, run and round alone. */
const sealingKey = ({ chain, vault }: SecretSite, { run, round }: Omit<SecretsOf, 'ctx'>): Uint8Array =>
  fromHex(vault.keyedDigest('secrets of a masked round', fromHex(chain.genesis), utf8(`${chain.coordinator} ${run} ${round}`)))
