import { advertisementOf } from '#core/masking/advertisement.ts'
import type { JournalEntry } from '#ports/journal.ts'
import { encodeFileWord } from '#wire/masking/file-word.ts'
import { encodeKeyOffer } from '#wire/masking/key-offer.ts'
import type { Play, Round } from '../play.ts'
import { type Dealing, isMember } from './dealing.ts'
import { maskedOf } from './masked-round.ts'
import { drawSecrets, ownKeys, wereDrawn } from './secrets.ts'

/** Its public keys for the round. */
export function offerOf({ site }: Play, dealing: Dealing): Uint8Array {
  const { run, round, ctx, keys } = dealing
  dealing.offeredMs = site.host.clock.nowMs()
  return encodeKeyOffer({ run, round, ctx, offer: advertisementOf(keys as NonNullable<typeof keys>) })
}

/** Others find in it what this site has for them. Nothing before it is made. */
export function dealWord(dealing: Dealing): Uint8Array[] {
  const { run, round, own } = dealing
  if (own === null) return []
  dealing.isTold = true
  return [encodeFileWord({ kind: 'deal', run, round, file: own })]
}

/** On this very model; null where it has not keyed. */
export function keyedBefore({ site }: Play, { run, round, view }: Round) {
  const entry = site.journal.entries().findLast((e) => e.kind === 'keyed' && e.run === run && e.round === round && e.base === view.model.root)
  return entry?.kind === 'keyed' ? entry : null
}

/** What this site keyed with, said when it keys, and together with its update where that is not known to have gone out: every member needs it. */
export async function keyFileWord(play: Play, at: Round, signal: AbortSignal): Promise<Uint8Array[]> {
  const { run, round } = at
  const entry = keyedBefore(play, at)
  if (entry === null) return []
  const masked = maskedOf(play, at)
  if (masked.isFileTold) return []
  masked.ownFile ??= await play.site.store.get({ root: entry.root, cid: entry.cid, kind: 'masking' }, at.key, signal)
  return [encodeFileWord({ kind: 'key-file', run, round, file: masked.ownFile })]
}

/** Keys for the next round, for the journal, where they are not drawn yet; they are said together with this round's update. */
export function secretsAhead({ ahead, site }: Play): JournalEntry[] {
  return ahead !== null && isMember(ahead, site.id) && !wereDrawn(site, ahead) ? [drawSecrets(site, ahead)] : []
}

/** Once they are in the journal. */
export function offerAhead(play: Play): Uint8Array[] {
  const { ahead, site } = play
  if (ahead === null) return []
  ahead.keys ??= ownKeys(site, ahead)
  return ahead.keys === null || !isMember(ahead, site.id) ? [] : [offerOf(play, ahead)]
}
