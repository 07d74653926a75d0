import { makeRelease } from '#core/masking/release.ts'
import { say } from '#round/steps/announce.ts'
import { frozenNews } from '#round/steps/frozen.ts'
import { encodeRelease, type ReleaseMessage } from '#wire/masking/release.ts'
import type { Play, Round } from '../play.ts'
import { dealAhead } from './ahead.ts'
import { NEVER } from './dealing.ts'
import { maskedOf } from './masked-round.ts'

/**
 * Shows this site's shares, once a sum of the frozen set stands on chain: of the self-masks of those who are in, of the pair masks of those who dropped
 * out. Which set it is about is in the journal before: about another, of the same run and model, it never shows any.
 */
export async function release(play: Play, round: Round): Promise<void> {
  const { site } = play
  const { included } = round.view.round
  const at = { run: round.run, round: round.round }
  const isNoted = site.journal.entries().some((e) => e.kind === 'released' && e.run === round.run && e.round === round.round && e.included === included)
  const noted = isNoted ? [] : [{ kind: 'released', ...at, base: round.view.model.root, included } as const]
  await site.journal.append(...frozenNews(play, round), ...noted)
  const shown = ownRelease(play, round)
  const masked = maskedOf(play, round)
  const isFirst = masked.releasedMs === NEVER
  masked.releasedMs = site.host.clock.nowMs()
  play.mail.hear(site.id, { kind: 'release', ...shown })
  await say(site, round, [encodeRelease(shown), ...(isFirst ? dealAhead(play) : [])])
}

/** A function of the frozen set alone. */
export function ownRelease(play: Play, round: Round): ReleaseMessage {
  const { terms, graph, deals } = maskedOf(play, round)
  const release = makeRelease(terms, graph, round.view.round.included, { site: play.site.id, opened: deals.opened })
  return { run: round.run, round: round.round, release }
}
