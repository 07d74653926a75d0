import { EMPTY, sitesOf, withSite } from '#base/bitmap.ts'
import type { Bitmap } from '#base/ids.ts'
import type { Chain } from '#ports/chain.ts'
import { replacing } from './liar.ts'
import type { SimRandom } from './random.ts'

/** Names every update of the round, held or not. */
export const claimingUnheld = (chain: Chain, strike: () => void): Chain =>
  replacing(chain, {
    async witness(run, round, slice, held) {
      const { contributed } = (await chain.run(run)).round
      if (contributed !== held) strike()
      return chain.witness(run, round, slice, contributed)
    },
  })

/** Names nothing, or half of what it holds. */
export const denyingHeld = (chain: Chain, random: SimRandom, strike: () => void): Chain =>
  replacing(chain, {
    witness(run, round, slice, held) {
      const share = random.pick([0, 0.5])
      const told = sitesOf(held)
        .filter(() => random.chance(share))
        .reduce<Bitmap>((set, site) => withSite(set, site), EMPTY)
      if (told !== held) strike()
      return chain.witness(run, round, slice, told)
    },
  })
