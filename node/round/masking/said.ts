import { advertisementOf } from '#core/masking/advertisement.ts'
import type { JournalEntry } from '#ports/journal.ts'
import { encodeDealWord } from '#wire/masking/deal-word.ts'
import { encodeKeyOffer } from '#wire/masking/key-offer.ts'
import type { Play } from '../play.ts'
import { type Dealing, isMember } from './dealing.ts'
import type { MaskedRound } from './masked-round.ts'
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
  return [encodeDealWord({ run, round, file: own })]
}

type KeyedEntry = Extract<JournalEntry, { kind: 'keyed' }>

/** As the chain has it, or else the last; null where it has not keyed with what it dealt for this very opening. */
export function keyedBefore({ site }: Pick<Play, 'site'>, { run, round, ctx, keyed }: Pick<MaskedRound, 'run' | 'round' | 'ctx' | 'keyed'>): KeyedEntry | null {
  const entries = site.journal.entries().filter((e): e is KeyedEntry => e.kind === 'keyed' && e.run === run && e.round === round && e.ctx === ctx)
  const said = keyed.find((event) => event.site === site.id)
  const asSaid = entries.findLast((e) => e.root === said?.dealDigest && e.held === said.holds && e.heldDeals === said.heldDeals)
  return asSaid ?? entries.at(-1) ?? null
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
