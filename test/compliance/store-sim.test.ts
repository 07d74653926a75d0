import { SimWorld } from '#adapters/sim/world.ts'
import { storeCompliance } from './store.ts'

storeCompliance('in memory', async () => {
  const world = SimWorld.create({ seed: 'store compliance', sites: 4 })
  return {
    sites: world.sites.map((site) => ({ site: site.id, store: world.start(site).store })),
    stranger: async () => world.stranger().store,
    during: (work) => work,
    stop: async () => world.stop(),
  }
})
