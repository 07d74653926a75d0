import { nameOf } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import type { Chain, SiteRecord } from '#ports/chain.ts'
import type { Log } from '#ports/host.ts'
import type { Member, Members } from '#ports/members.ts'
import { watchChanges } from '#round/change-watch.ts'

/** The registry's active sites, cached; read again when the chain shows that a site changed. */
export interface ChainMembers extends Members {
  records(): readonly SiteRecord[]
  stop(): void
}

export async function followMembers(chain: Chain, log: Log): Promise<ChainMembers> {
  const changes = watchChanges(chain, ['SiteChanged'])
  await changes.changed()
  let records = await chain.sites()
  let byPeer = index(records)
  let looking = false
  let due = false
  const listeners = new Set<() => void>()

  async function look(): Promise<void> {
    if (looking) return
    looking = true
    try {
      due = (await changes.changed()) || due
      if (due) {
        records = await chain.sites()
        due = false
        byPeer = index(records)
        for (const listener of listeners) listener()
      }
    } catch (error) {
      log.warn('members.look-failed', { reason: nameOf(error) })
    } finally {
      looking = false
    }
  }

  const unsubscribe = chain.onChange(() => void look())
  return {
    siteOf: (peerId) => byPeer.get(peerId),
    list: () => records.filter(isActive).map(toMember),
    records: () => records,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    stop() {
      unsubscribe()
      listeners.clear()
    },
  }
}

const isActive = (record: SiteRecord): boolean => record.state === 'Active'
const index = (records: readonly SiteRecord[]): ReadonlyMap<string, SiteId> => new Map(records.filter(isActive).map((record) => [record.peerId, record.id]))
const toMember = (record: SiteRecord): Member => ({ site: record.id, peerId: record.peerId, multiaddrs: record.multiaddrs })
