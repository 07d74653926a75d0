import { has } from '#base/bitmap.ts'
import { RotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import type { AttestStatus, Publication } from '#ports/chain.ts'
import { limitOf } from '../clock.ts'
import type { Play, Round } from '../play.ts'
import { createWaker } from '../waker.ts'

const LOOK_MS = 500

/**
 * Whether the custodians bear a large sum out, for a site that does not add it up: all that are in the frozen set, but the publisher,
 * have attested, and none of them a wrong sum. Without this a leader alone could pass a wrong sum, since custodians are a minority.
 * False: one says that it is wrong, or they keep silent for a third of the limit; then this site has to add the updates up itself.
 * @throws ROTA-5102 (ignore) when the round has moved on
 */
export async function borneOut(play: Play, round: Round, publication: Publication, signal: AbortSignal): Promise<boolean> {
  const { chain, host } = play.site
  const custodians = custodiansBut(publication.publisher, round)
  if (custodians.length === 0) return false
  const { rules } = await play.study.record()
  const untilMs = host.clock.nowMs() + (1_000 * limitOf(rules, round.view.round).seconds) / 3
  const waker = createWaker()
  const unsubscribe = chain.onChange(waker.wake)
  try {
    for (;;) {
      const seen = waker.mark()
      const said = await verdicts(round, play, custodians)
      if (said.includes('wrongSum')) return false
      if (said.length === custodians.length) return true
      await checkOpen(play, round)
      if (host.clock.nowMs() >= untilMs) return false
      await waker.next(seen, host.clock, LOOK_MS, signal)
    }
  } finally {
    unsubscribe()
  }
}

function custodiansBut(publisher: SiteId, { view }: Round): SiteId[] {
  const { rota, turn, custodianPlaces, included } = view.round
  const places = Math.min(custodianPlaces[0] ?? 0, rota.length)
  return Array.from({ length: places }, (_, place) => rota[(turn + place) % rota.length] as SiteId).filter((site) => site !== publisher && has(included, site))
}

/** What each of the sites said of this attempt: its first word. */
async function verdicts({ run, round, view }: Round, { site }: Play, of: readonly SiteId[]): Promise<AttestStatus[]> {
  const events = await site.chain.events(view.round.openedAtBlock, { run, kinds: ['Attested'] })
  const said = new Map<SiteId, AttestStatus>()
  for (const e of events)
    if (e.kind === 'Attested' && e.round === round && e.attempt === view.round.attempt && of.includes(e.site) && !said.has(e.site)) said.set(e.site, e.status)
  return [...said.values()]
}

async function checkOpen({ site }: Play, { run, round, view }: Round): Promise<void> {
  const now = await site.chain.run(run)
  const open = now.state === 'Active' && now.round.round === round && now.round.phase === 'Attesting' && now.round.attempt === view.round.attempt
  if (!open) throw new RotaError('ROTA-5102', { run, round, phase: now.round.phase })
}
