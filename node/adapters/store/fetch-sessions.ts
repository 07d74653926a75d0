import type { Helia, SessionBlockstore } from 'helia'
import type { CID } from 'multiformats/cid'
import type { SiteId } from '#base/ids.ts'
import type { NamedProviders } from './block-broker.ts'

/** Who should have what of one object. */
export interface Providers {
  /** Of the tree and the outline. */
  readonly all: readonly SiteId[]
  /** Of a slice, where that is known. */
  readonly slice?: (slice: number) => readonly SiteId[]
}

/** The fetching of one object: a session for each slice, so that who failed for one is still asked for another; one for all without such knowledge. */
export class FetchSessions {
  readonly #helia: Helia
  readonly #root: CID
  readonly #providers: Providers
  readonly #sessions = new Map<number | null, SessionBlockstore>()

  constructor(helia: Helia, root: CID, providers: Providers) {
    this.#helia = helia
    this.#root = root
    this.#providers = providers
  }

  /** @param slice null for the tree and the outline */
  of(slice: number | null): SessionBlockstore {
    const { all, slice: sitesOf } = this.#providers
    const name = sitesOf === undefined ? null : slice
    const known = this.#sessions.get(name)
    if (known !== undefined) return known
    const options: NamedProviders = { sites: name === null || sitesOf === undefined ? all : sitesOf(name) }
    const session = this.#helia.blockstore.createSession(this.#root, options)
    this.#sessions.set(name, session)
    return session
  }

  close(): void {
    for (const session of this.#sessions.values()) session.close()
  }
}
