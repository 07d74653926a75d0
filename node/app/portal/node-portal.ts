import { openShelf } from '#app/model/model-shelf.ts'
import type { RunningNode } from '#app/node/node.ts'
import { siteCohort } from '#app/site/site-cohort.ts'
import { ownRecord } from '#app/site/site-folder.ts'
import { portalOf } from './portal.ts'
import type { ServedPortal } from './serve-portal.ts'

/** The portal in the node's own process, where rota.yaml says `portal`. */
export async function serveNodePortal({ folder, chain, site: { store }, host }: RunningNode): Promise<ServedPortal> {
  const [own, sites] = await Promise.all([ownRecord(chain), chain.sites()])
  const site = { folder, chain, own, sites, store, shelf: openShelf({ chain, store, vault: folder.vault }), cohort: siteCohort(folder, chain, own) }
  return portalOf(site, host.log, { listen: undefined, longestDelay: undefined, behindProxy: false })
}
