import { setTimeout as sleep } from 'node:timers/promises'
import { TestWorld, until } from '../unit/network/world.ts'
import { gossipCompliance } from './gossip.ts'

gossipCompliance('libp2p gossipsub, four hosts', async () => {
  const world = await TestWorld.of(4)
  const members = [...world.nodes]
  return {
    sites: members.map(({ site, gossip }) => ({ site, gossip })),
    remove(site) {
      for (const node of members) if (node.site !== site) node.members.set(node.members.list().filter((member) => member.site !== site))
    },
    async stranger() {
      const stranger = await world.add(99)
      stranger.members.set([...members[0]!.members.list(), ...stranger.members.list()])
      return stranger.gossip
    },
    until,
    settle: () => sleep(300),
    score: (at, of) => members.find((node) => node.site === at)!.gossip.scoreOf(of),
    stop: () => world.stop(),
  }
})
