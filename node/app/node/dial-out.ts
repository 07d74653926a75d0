import { systemClock } from '#adapters/host/system-host.ts'
import { type Network, startNetwork } from '#adapters/network/host.ts'
import type { OpenVault } from '#adapters/vault/secrets-vault.ts'
import type { SiteRecord } from '#ports/chain.ts'
import type { Log } from '#ports/host.ts'
import type { Members } from '#ports/members.ts'
import { arithmeticVersion } from '../arithmetic-version.ts'
import { SOFTWARE_VERSION } from '../version.ts'

/** This site's place in the network for the length of a command: it dials the members with the site's own key and listens nowhere. Only while no node runs here. */
export async function dialOut<T>(vault: Pick<OpenVault, 'peerSeed'>, sites: readonly SiteRecord[], work: (network: Network) => Promise<T>): Promise<T> {
  const network = await startNetwork({
    seed: vault.peerSeed,
    members: membersOf(sites),
    listen: [],
    relay: false,
    versions: { software: SOFTWARE_VERSION, arithmetic: await arithmeticVersion() },
    clock: systemClock,
    log: quiet,
  })
  try {
    return await work(network)
  } finally {
    await network.stop()
  }
}

function membersOf(sites: readonly SiteRecord[]): Members {
  const active = sites.filter(({ state }) => state === 'Active')
  return {
    siteOf: (peerId) => active.find((site) => site.peerId === peerId)?.id,
    list: () => active.map(({ id, peerId, multiaddrs }) => ({ site: id, peerId, multiaddrs })),
    onChange: () => () => undefined,
  }
}

export const quiet: Log = { info() {}, warn() {}, error() {}, debug() {} }
