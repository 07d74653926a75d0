import type { BlockRetrievalOptions, SessionBlockBroker } from 'helia'
import type { CID } from 'multiformats/cid'
import { RotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import type { Log } from '#ports/host.ts'
import type { Beyond } from './block-broker.ts'
import type { BlockClient } from './block-client.ts'
import { DAG_PB, digestOf } from './cids.ts'

const PEERS_AT_ONCE = 4

/**
 * The fetching of one object: remembers who gave blocks of it and who could not. Whoever was named as provider, or has given a block, is asked first,
 * the least busy of them; then the other connected members; last, named ones that are not connected.
 */
export class BlockSession implements SessionBlockBroker {
  readonly name = 'rota-block-session'
  readonly #client: BlockClient
  readonly #named: readonly SiteId[]
  readonly #log: Log
  readonly #good = new Set<SiteId>()
  /** Lacked a block, failed, or sent a wrong one: asked last. */
  readonly #weak = new Set<SiteId>()

  readonly #beyond: Beyond | null

  constructor(client: BlockClient, named: readonly SiteId[], log: Log, beyond: Beyond | null = null) {
    this.#client = client
    this.#named = named
    this.#log = log
    this.#beyond = beyond
  }

  /** @throws ROTA-4010 when nobody has it, ROTA-4015 when only wrong bytes were offered */
  async retrieve(cid: CID, { signal = NEVER, validateFn }: BlockRetrievalOptions = {}): Promise<Uint8Array> {
    const liars: SiteId[] = []
    const ask = (site: SiteId) => this.#ask(site, cid, validateFn ?? trusting, liars, signal)
    const asked = new Set<SiteId>()
    for (let site = this.#best(asked); site !== undefined; site = this.#best(asked)) {
      asked.add(site)
      const block = await ask(site)
      if (block !== null) return block
    }
    const rest = this.#rest(asked)
    // A root is small: four members may send it. Of a leaf, one copy is enough.
    const atOnce = cid.code === DAG_PB ? PEERS_AT_ONCE : 1
    for (let at = 0; at < rest.length; at += atOnce) {
      const block = await firstBlock(rest.slice(at, at + atOnce).map(ask))
      if (block !== null) return block
    }
    const last = (await this.#beyond?.(cid, signal)) ?? null
    if (last !== null) return last
    throw liars[0] === undefined ? new RotaError('ROTA-4010', { cid: digestOf(cid) }) : new RotaError('ROTA-4015', { cid: digestOf(cid), site: liars[0] })
  }

  /** Helia's way to name a provider; ours are named at the start. */
  async addPeer(): Promise<void> {}

  #best(asked: ReadonlySet<SiteId>): SiteId | undefined {
    const connected = new Set(this.#client.connected())
    const known = [...new Set([...this.#good, ...this.#named])].filter((site) => connected.has(site) && !asked.has(site) && !this.#weak.has(site))
    return known.slice(0, PEERS_AT_ONCE).sort((a, b) => this.#client.load(a) - this.#client.load(b))[0]
  }

  #rest(asked: ReadonlySet<SiteId>): SiteId[] {
    const connected = this.#client.connected()
    const strong = connected.filter((site) => !this.#weak.has(site))
    const weak = connected.filter((site) => this.#weak.has(site))
    return [...new Set([...strong, ...weak, ...this.#named])].filter((site) => !asked.has(site))
  }

  async #ask(site: SiteId, cid: CID, validate: (block: Uint8Array) => Promise<void>, liars: SiteId[], signal: AbortSignal): Promise<Uint8Array | null> {
    try {
      for (const check of [false, true]) {
        const block = await this.#client.fetch(site, cid, check, signal)
        if (block === null) break
        if (
          await validate(block).then(
            () => true,
            () => false,
          )
        ) {
          this.#good.add(site)
          return block
        }
        this.#log.warn('store.wrong-block', { site, cid: digestOf(cid) })
        if (check) liars.push(site)
      }
    } catch (error) {
      signal.throwIfAborted()
      this.#log.debug('store.site-failed', { site, code: error instanceof RotaError ? error.code : 'unknown' })
    }
    this.#good.delete(site)
    this.#weak.add(site)
    return null
  }
}

const NEVER = new AbortController().signal
const trusting = async (): Promise<void> => undefined

/** The first block that any of them brings, or null when none does. @throws what the first to fail throws */
async function firstBlock(asks: readonly Promise<Uint8Array | null>[]): Promise<Uint8Array | null> {
  return new Promise((resolve, reject) => {
    for (const ask of asks) ask.then((block) => block !== null && resolve(block), reject)
    Promise.all(asks).then(() => resolve(null), reject)
  })
}
