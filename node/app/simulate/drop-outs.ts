import type { SimPorts } from '#adapters/sim/site.ts'
import type { SimTime } from '#adapters/sim/time.ts'
import { sitesOf } from '#base/bitmap.ts'
import type { SiteId } from '#base/ids.ts'
import { thresholdOf } from '#core/masking/threshold.ts'
import { Seeded } from '#core/model/seeded.ts'
import { hidesUpdates, type Protocol } from '#core/protocol/protocol.ts'
import type { RunView } from '#ports/chain.ts'
import type { RowName } from '#round/next.ts'
import type { PlayHooks } from '#round/player.ts'

/** Before which of its steps a site goes. */
const IN_THE_OPEN: readonly RowName[] = ['contribute', 'attest']
const BEHIND_MASKS: readonly RowName[] = ['advertise', 'contribute', 'release']
const LOOK_MS = 500

/**
 * Sites that drop out of a round, each with the same probability, at one of its steps, and are back in the next; never more than a round bears. The same seed
 * lets the same sites drop out.
 * @param rate 0: none does
 */
export function dropOuts({ mode, quorum }: Protocol, rate: number, seed: number): (site: SimPorts, time: () => SimTime) => PlayHooks {
  const rounds = new Map<number, ReadonlyMap<SiteId, RowName>>()

  function drawn({ round }: RunView): ReadonlyMap<SiteId, RowName> {
    const known = rounds.get(round.round) ?? draw(new Seeded(seed + 7919 * round.round), sitesOf(round.awaited))
    rounds.set(round.round, known)
    return known
  }

  /** @param awaited whom the others wait for: without the rest the round can do anyway */
  function draw(random: Seeded, awaited: readonly SiteId[]): ReadonlyMap<SiteId, RowName> {
    const isHidden = hidesUpdates({ mode })
    const moments = isHidden ? BEHIND_MASKS : IN_THE_OPEN
    const bears = Math.max(0, awaited.length - Math.max(quorum, isHidden ? thresholdOf(awaited.length) : Math.floor(awaited.length / 2) + 1))
    const gone = awaited.map((site) => ({ site, at: random.uniform(), row: moments[Math.floor(random.uniform() * moments.length)] as RowName }))
    const chosen = gone.filter(({ at }) => at < rate).sort((a, b) => a.at - b.at)
    return new Map(chosen.slice(0, bears).map(({ site, row }) => [site, row]))
  }

  return (site, time) => ({
    async beforeRow(row, view) {
      if (rate === 0 || drawn(view).get(site.id) !== row) return
      const isOpen = (now: RunView): boolean => now.round.round === view.round.round && now.state === 'Active'
      while (isOpen(await site.chain.run(view.run))) await time().sleep(LOOK_MS, site.crashed)
    },
  })
}
