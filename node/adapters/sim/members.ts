import { RotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import type { Member, Members } from '#ports/members.ts'
import type { Hello, Peers } from '#ports/peers.ts'
import type { SimChain } from './chain/chain.ts'
import type { SimNetwork } from './network.ts'

/** The active sites of the simulated registry. */
export class SimMembers implements Members {
  readonly #chain: SimChain

  constructor(chain: SimChain) {
    this.#chain = chain
  }

  siteOf(peerId: string): SiteId | undefined {
    return this.list().find((member) => member.peerId === peerId)?.site
  }

  list(): readonly Member[] {
    return this.#chain.activeSites().map((site) => ({ site: site.id, peerId: site.peerId, multiaddrs: site.multiaddrs }))
  }

  onChange(listener: () => void): () => void {
    return this.#chain.onEvent((event) => {
      if (event.kind === 'SiteChanged') listener()
    })
  }
}

/** Direct talk over the simulated links. */
export class SimPeers implements Peers {
  readonly #network: SimNetwork
  readonly #me: SiteId
  readonly #offsetMs: (site: SiteId) => number
  readonly #arithmeticVersion: string

  constructor(network: SimNetwork, me: SiteId, offsetMs: (site: SiteId) => number, arithmeticVersion: string) {
    this.#network = network
    this.#me = me
    this.#offsetMs = offsetMs
    this.#arithmeticVersion = arithmeticVersion
  }

  async hello(site: SiteId, signal: AbortSignal): Promise<Hello> {
    const rttMs = this.#network.latencyMs() + this.#network.latencyMs()
    await this.#network.time.sleep(rttMs, signal)
    if (!this.#network.reaches(this.#me, site)) throw new RotaError('ROTA-4005', { site })
    return { rttMs, clockOffsetMs: this.#offsetMs(site) - this.#offsetMs(this.#me), softwareVersion: 'sim', arithmeticVersion: this.#arithmeticVersion }
  }
}
