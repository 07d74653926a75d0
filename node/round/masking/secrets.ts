import { concat, fromHex, toHex, utf8 } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import type { RoundNo, RunId } from '#base/ids.ts'
import { SEED_BYTES } from '#core/masking/crypto.ts'
import { drawSeeds, type RoundKeys, type RoundSeeds, roundKeys } from '#core/masking/round-keys.ts'
import type { Site } from '../site.ts'

/** What of a site its secrets need. */
export type SecretSite = Pick<Site, 'chain' | 'vault' | 'journal' | 'masking'> & { readonly host: Pick<Site['host'], 'random'> }

/** Whether secrets of this round were drawn, be they burnt since: then no others are. */
export const wereDrawn = ({ journal }: Pick<Site, 'journal'>, run: RunId, round: RoundNo): boolean => entryOf(journal, run, round) !== undefined

/** This site's secrets of the round; null where none were drawn, or they are burnt. */
export function ownKeys(site: SecretSite, run: RunId, round: RoundNo): RoundKeys | null {
  const sealed = entryOf(site.journal, run, round)?.sealed ?? ''
  if (sealed === '') return null
  try {
    return roundKeys(seedsOf(site.vault.open(fromHex(sealed), sealingKey(site, run, round))), site.masking)
  } catch (error) {
    // Sealed by another vault: a folder was put together of parts of two.
    if (isRotaError(error)) return null
    throw error
  }
}

/** Draws the round's secrets and burns those of the rounds before it. In the journal before anybody is told a key. */
export async function drawKeys(site: SecretSite, run: RunId, round: RoundNo): Promise<void> {
  await site.journal.burn(run, round)
  const { mask, self, channel } = drawSeeds(site.host.random)
  const sealed = site.vault.seal(concat(mask, self, channel), sealingKey(site, run, round))
  await site.journal.append({ kind: 'keys', run, round, sealed: toHex(sealed) })
}

function entryOf(journal: Site['journal'], run: RunId, round: RoundNo): { readonly sealed: string } | undefined {
  const entry = journal.entries().findLast((e) => e.kind === 'keys' && e.run === run && e.round === round)
  return entry?.kind === 'keys' ? entry : undefined
}

const seedsOf = (bytes: Uint8Array): RoundSeeds => ({
  mask: bytes.slice(0, SEED_BYTES),
  self: bytes.slice(SEED_BYTES, 2 * SEED_BYTES),
  channel: bytes.slice(2 * SEED_BYTES, 3 * SEED_BYTES),
})

/** Of this site, chain, run and round alone. */
const sealingKey = ({ chain, vault }: SecretSite, run: RunId, round: RoundNo): Uint8Array =>
  fromHex(vault.keyedDigest('secrets of a masked round', fromHex(chain.genesis), utf8(`${chain.coordinator} ${run} ${round}`)))
