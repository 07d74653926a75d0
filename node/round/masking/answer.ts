import type { SiteId } from '#base/ids.ts'
import { advertisementOf } from '#core/masking/advertisement.ts'
import { encodeDealWord } from '#wire/masking/deal-word.ts'
import { encodeKeyOffer } from '#wire/masking/key-offer.ts'
import type { LackedKind, Lacking } from '#wire/masking/lacking.ts'
import { encodeRelease } from '#wire/masking/release.ts'
import type { Play } from '../play.ts'
import { type Dealing, isMember } from './dealing.ts'

/** To each member, of one round: an honest one that starts again and loses half of all answers needs fewer. */
const MOST_ANSWERS = 16

/** What this site said in a masked round, to a member of it that lacks it: the same words as before, and none that it has not said. */
export function answerTo({ site, mail, masked, ahead }: Pick<Play, 'site' | 'mail' | 'masked' | 'ahead'>, { ctx, kinds }: Lacking, from: SiteId): Uint8Array[] {
  const dealing = [masked, ahead].find((each) => each?.ctx === ctx)
  if (dealing == null || !isMember(dealing, from)) return []
  const words = kinds.flatMap((kind) => WORDS[kind](dealing, () => mail.of(dealing.run, dealing.round).releases.get(site.id)))
  const answered = dealing.answered.get(from) ?? 0
  if (words.length === 0 || answered >= MOST_ANSWERS) return []
  dealing.answered.set(from, answered + 1)
  return words
}

type Shown = () => ReturnType<ReturnType<Play['mail']['of']>['releases']['get']>

const WORDS: Readonly<Record<LackedKind, (dealing: Dealing, shown: Shown) => Uint8Array[]>> = {
  'key-offer': ({ run, round, ctx, keys }) => (keys === null ? [] : [encodeKeyOffer({ run, round, ctx, offer: advertisementOf(keys) })]),
  deal: ({ run, round, own }) => (own === null ? [] : [encodeDealWord({ run, round, file: own })]),
  // This site hears its own shares when it shows them, and not before.
  release: ({ run, round }, shown) => {
    const release = shown()
    return release === undefined ? [] : [encodeRelease({ run, round, release })]
  },
}
