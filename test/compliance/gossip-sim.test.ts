import { SimWorld } from '#adapters/sim/world.ts'
import type { SiteId } from '#base/ids.ts'
import { gossipCompliance } from './gossip.ts'

gossipCompliance('in memory', async () => {
  const world = SimWorld.create({ seed: 'gossip compliance', sites: 4 })
  const sites = world.sites.map((site) => ({ site: site.id, gossip: world.start(site).gossip }))
  return {
    sites,
    remove: (site) => removeByVote(world, site),
    stranger: async () => world.stranger().gossip,
    async until(condition, what) {
      for (let tries = 0; !condition(); tries++) {
        if (tries === 1_000) throw new Error(`never: ${what}`)
        await world.time.sleep(10)
      }
    },
    settle: () => world.time.sleep(10_000),
    score: (at, of) => sites[at]?.gossip.scoreOf(of) ?? 0,
    stop: async () => world.stop(),
  }
})

async function removeByVote(world: SimWorld, site: SiteId): Promise<void> {
  const voters = world.sites.filter(({ id }) => id !== site).map((voter) => world.steward(voter).membership())
  const proposal = await voters[0]?.propose('remove', site)
  for (const voter of voters) await voter.vote(proposal as number, true)
}
