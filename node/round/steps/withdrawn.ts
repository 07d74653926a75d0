import { isRotaError } from '#base/errors.ts'
import { type Digest, type RoundNo, type RunId, ZERO_DIGEST } from '#base/ids.ts'
import type { ConsentedCohort } from '#ports/cohort.ts'
import { firstUsed } from '../forgotten-cohorts.ts'
import type { Play } from '../play.ts'
import { usedCohort } from './used-cohort.ts'

/** A cohort that stands on chain, as the root that it had in one round. */
export interface CommittedCohort {
  readonly run: RunId
  readonly round: RoundNo
  readonly root: Digest
}

/** Whether it is the same patients still: no two rounds' roots are alike, so that of the same round is made again. */
export const isStill = (cohort: Pick<ConsentedCohort, 'rootIn'>, { run, round, root }: CommittedCohort): boolean => cohort.rootIn(run, round) === root

/** Tags withdrawn on chain under the study's programme, up to now: at least those that stood at the round's opening block. */
export async function withdrawnTags(play: Pick<Play, 'site' | 'study'>): Promise<ReadonlySet<Digest>> {
  const events = await play.site.chain.events(0, { kinds: ['ConsentWithdrawn'] })
  const tags = new Set<Digest>()
  for (const e of events) if (e.kind === 'ConsentWithdrawn' && e.programme === play.study.programme) tags.add(e.tag)
  return tags
}

/** How long an unchanged log lets the site's own file and desk go unasked: the local stop is still within a second. */
const ASK_AGAIN_MS = 1_000

/** Tells whether this site's cohort is no longer the one that it began this exact run with. */
export interface CohortWatch {
  /** @param askAgainMs so old may an answer be while the log is unchanged; default: a second */
  changed(play: Play, askAgainMs?: number): Promise<boolean>
}

export function watchCohort(): CohortWatch {
  let seen = { withdrawn: -1, atMs: Number.NEGATIVE_INFINITY, used: ZERO_DIGEST as Digest, changed: false }
  return {
    async changed(play, askAgainMs = ASK_AGAIN_MS) {
      if (!play.study.exact) return false
      play.committed ??= (await firstUsed(play.site, play.run)) ?? journalled(play)
      const used = play.committed
      if (used === null) return false
      const withdrawn = await withdrawnTags(play)
      const now = play.site.host.clock.nowMs()
      if (seen.used === used.root && seen.withdrawn === withdrawn.size && now - seen.atMs < askAgainMs) return seen.changed
      seen = { withdrawn: withdrawn.size, atMs: now, used: used.root, changed: await differs(play, withdrawn, used) }
      return seen.changed
    },
  }
}

/** Data that cannot be read just now are no change: the site keeps attesting, and abstains from the next round. */
async function differs(play: Play, withdrawn: ReadonlySet<Digest>, used: CommittedCohort): Promise<boolean> {
  try {
    return !isStill(await usedCohort(play, await play.site.cohort.consented(play.study.protocol, withdrawn)), used)
  } catch (error) {
    if (!isRotaError(error)) throw error
    play.site.host.log.warn('cohort.unreadable', { run: play.run, code: error.code })
    return false
  }
}

function journalled(play: Play): CommittedCohort | null {
  const entry = play.site.journal.entries().findLast((e) => e.kind === 'contributed' && e.run === play.run)
  return entry?.kind === 'contributed' ? { run: entry.run, round: entry.round, root: entry.cohortRoot } : null
}
