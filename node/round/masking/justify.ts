import { bitmapOf, EMPTY, sitesOf, sizeOf } from '#base/bitmap.ts'
import { isRotaError } from '#base/errors.ts'
import type { Bitmap, SiteId } from '#base/ids.ts'
import { complainersOf, mostShown } from '#core/masking/graph.ts'
import { decodeDealFile } from '#wire/masking/deal-file.ts'
import { hexOf, type ShownShare } from '#wire/masking/justification.ts'
import type { Play, Round } from '../play.ts'
import { within } from '../within.ts'
import { type Dealing, dealtBefore, loadOwn } from './dealing.ts'
import { parcelFor } from './deals.ts'
import { type MaskedRound, maskedOf } from './masked-round.ts'
import { onHistory, phaseBegan } from './phase-began.ts'
import { openDealt } from './secrets.ts'

/**
 * Shows the shares of those who keyed and say that they do not hold this site's deal: whoever lost it can be unmasked without them, and who only says so keeps nobody out. Both
 * shares of each; which ones is in the journal before, since a chain that goes back may have others complain.
 */
export async function justify(play: Play, round: Round, signal: AbortSignal): Promise<void> {
  const { site } = play
  const masked = maskedOf(play, round)
  const began = await phaseBegan(play, round, 'Keying')
  const shares = await within(site, OWN_MS, signal, (limited) => sharesToShow(play, round, masked, limited)).catch((error: unknown) => {
    signal.throwIfAborted()
    // A disk that lost its deal has nothing to show.
    if (isRotaError(error)) return []
    throw error
  })
  const { run, round: no } = round
  const said = shares.length === 0 ? NONE : hexOf({ file: masked.own as Uint8Array, shares })
  const holders = bitmapOf(shares.map(({ holder }) => holder))
  // Where the call is made again it stands there already.
  if (!justifiedBefore(play, masked).some((each) => each === holders))
    await site.journal.append({ kind: 'justified', run, round: no, ctx: masked.ctx, holders })
  await onHistory(
    began,
    () => phaseBegan(play, round, 'Keying'),
    (of) => site.chain.justify(run, no, said, of),
  )
}

const NONE = '0x'
/** What this site dealt lies in its own store. */
const OWN_MS = 5_000

/** None where nobody lacks its deal, and where showing them would not help: too many lack it, or they are not here any more. */
async function sharesToShow(play: Play, round: Round, masked: MaskedRound, limited: AbortSignal): Promise<readonly ShownShare[]> {
  const { site } = play
  const lacking = lackingIn(play, masked)
  const said = masked.keyed.find((event) => event.site === site.id)
  const dealt = site.journal.entries().findLast((e) => e.kind === 'dealt' && e.run === round.run && e.round === round.round && e.ctx === masked.ctx)
  const isOwn = said !== undefined && dealt?.kind === 'dealt' && said.dealDigest === dealtBefore(play, masked)?.root
  if (lacking === EMPTY || !isOwn || !mayShow(play, masked, lacking)) return []
  const shares = openDealt(site, masked, dealt.shares)
  if (!sitesOf(lacking).every((holder) => shares.has(holder))) return []
  await loadOwn(play, masked, round.key, limited)
  const own = masked.own as Uint8Array
  const file = decodeDealFile(own)
  const parcels = sitesOf(lacking).map(async (holder: SiteId): Promise<ShownShare> => {
    const parcel = file.parcels.length > 0 ? undefined : await parcelFor(site, file, holder, limited)
    const { mask, self } = shares.get(holder) as NonNullable<ReturnType<typeof shares.get>>
    return { holder, parcel: parcel?.bytes ?? new Uint8Array(0), mask, self }
  })
  return Promise.all(parcels)
}

const lackingIn = ({ site }: Pick<Play, 'site'>, { terms, keyed }: MaskedRound): Bitmap => complainersOf(site.id, terms, keyed, site.sha256)

/** Shares that were shown for what a chain that went back showed count too. */
function mayShow(play: Pick<Play, 'site'>, masked: MaskedRound, lacking: Bitmap): boolean {
  const shown = justifiedBefore(play, masked).reduce((all, holders) => (all | holders) as Bitmap, lacking)
  return sizeOf(shown) <= mostShown(membersOf(masked), masked.terms.threshold)
}

/** Then this site would not be hidden from as many who collude as it should. */
export const hasShownTooMany = (play: Pick<Play, 'site'>, masked: MaskedRound): boolean => !mayShow(play, masked, EMPTY)

const membersOf = ({ keyed, terms }: MaskedRound): number => keyed.filter(({ site }) => (terms.members & (1n << BigInt(site))) !== 0n).length

/** Whose shares this site has shown of what it dealt, call by call. */
const justifiedBefore = ({ site }: Pick<Play, 'site'>, { run, round, ctx }: Dealing): readonly Bitmap[] =>
  site.journal.entries().flatMap((e) => (e.kind === 'justified' && e.run === run && e.round === round && e.ctx === ctx ? [e.holders] : []))
