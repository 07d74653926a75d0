import type { BlockBroker, BlockRetrievalOptions, CreateSessionOptions } from 'helia'
import type { CID } from 'multiformats/cid'
import type { SiteId } from '#base/ids.ts'
import type { Log } from '#ports/host.ts'
import type { BlockClient } from './block-client.ts'
import { BlockSession } from './block-session.ts'

/** Sites that should have the object, beside what Helia itself passes on. */
export interface NamedProviders extends CreateSessionOptions {
  readonly sites?: readonly SiteId[]
}

/** Whom to ask when no member has a block; null when they do not have it either. */
export type Beyond = (cid: CID, signal: AbortSignal) => Promise<Uint8Array | null>

/** How Helia gets blocks that are not on disk: from members over /rota/block/1, never by broadcast. */
export class MemberBlockBroker implements BlockBroker {
  readonly name = 'rota-block'
  readonly #client: BlockClient
  readonly #log: Log
  readonly #beyond: Beyond | null

  constructor(client: BlockClient, log: Log, beyond: Beyond | null = null) {
    this.#client = client
    this.#log = log
    this.#beyond = beyond
  }

  retrieve(cid: CID, options?: BlockRetrievalOptions): Promise<Uint8Array> {
    return this.createSession().retrieve(cid, options)
  }

  createSession(options: NamedProviders = {}): BlockSession {
    return new BlockSession(this.#client, options.sites ?? [], this.#log, this.#beyond)
  }
}
