import { has } from '#base/bitmap.ts'
import { isRotaError } from '#base/errors.ts'
import type { Bitmap, SiteId } from '#base/ids.ts'
import { checkRelease, type Release } from '#core/masking/release.ts'
import type { RoundView } from '#ports/chain.ts'
import type { Play, Round } from '../play.ts'
import type { MaskedRound } from './masked-round.ts'

/** What this site heard of one frozen set's shares. */
interface Heard {
  readonly included: Bitmap
  /** Site and code of what was told: a line of each, however often it is said. */
  readonly told: Set<string>
  /** Whose shares came before the sum was unmasked: what they say again is not late. */
  readonly inTime: Set<SiteId>
  /** As this site last saw the round. */
  seen: RoundView | null
}

const heard = new WeakMap<MaskedRound, Heard>()

/** Of another set, after the chain went back, nothing is late yet. */
function heardOf(masked: MaskedRound, included: Bitmap): Heard {
  const known = heard.get(masked)
  if (known?.included === included) return known
  const made = { included, told: known?.told ?? new Set<string>(), inTime: new Set<SiteId>(), seen: null }
  heard.set(masked, made)
  return made
}

/** Whether a site's shares are of this frozen set and as they should be; operators are told once of whoever shows others, or comes late. @param isLate whether the sum is unmasked */
export function isRightRelease(play: Play, masked: MaskedRound, included: Bitmap, [from, release]: readonly [SiteId, Release], isLate = false): boolean {
  const { terms, graph, run, round } = masked
  try {
    checkRelease(release, terms, graph, included, from, isLate)
    return true
  } catch (error) {
    if (!isRotaError(error)) throw error
    const { told } = heardOf(masked, included)
    const { log } = play.site.host
    const name = `${from} ${error.code}`
    if (!told.has(name))
      log[error.reaction === 'ignore' ? 'info' : 'warn']('masking.refused', { site: from, run, round, code: error.code, what: error.message })
    told.add(name)
    return false
  }
}

/** From a publication on, at each look: shares are checked as they come, also once this site has unmasked the sum and needs no more. */
export function watchReleases(play: Play, { run, round, view }: Round, masked: MaskedRound): void {
  const { included } = view.round
  const known = heardOf(masked, included)
  const isWatched = known.seen !== null
  known.seen = view.round
  if (isWatched) return
  for (const each of play.mail.of(run, round).releases) if (isRightRelease(play, masked, included, each)) known.inTime.add(each[0])
  let isUnmasked = false
  play.mail.watch(run, round, (from, release) => {
    isUnmasked ||= hasUnmasked(play, masked, known.seen)
    if (isRightRelease(play, masked, included, [from, release], isUnmasked && !known.inTime.has(from))) known.inTime.add(from)
  })
}

/** By what it made of this publication; after a restart by what the chain shows. Or the round is over. */
function hasUnmasked({ judged, masked: now, site }: Play, { round }: MaskedRound, seen: RoundView | null): boolean {
  if (now !== null && now.round > round) return true
  if (judged === null || seen === null) return seen !== null && has(seen.attested, site.id)
  const { publication, word } = judged
  return publication.sumRoot === seen.publication?.sumRoot && publication.attempt === seen.publication.attempt && word.status !== 'wrongSum'
}
