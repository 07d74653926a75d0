import { RotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import { type Gossip, QUESTION_LIMIT_BYTES } from '#ports/gossip.ts'
import { MESSAGE_LIMIT_BYTES } from '#wire/announce.ts'
import { forever, type Life } from './life.ts'
import type { Endpoint, SimNetwork } from './network.ts'

type Judge = Parameters<Gossip['start']>[0]
type Deliver = Parameters<Gossip['start']>[1]
type Answer = NonNullable<Parameters<Gossip['start']>[2]>

const REJECTION_COST = 100
const DEAF_BELOW = -400

/**
 * Messages of active members to all active members that can be reached. All receivers get the same array: who wants to write
 * copies it, and who decodes may remember it by the array's identity.
 */
export class SimGossip implements Gossip, Endpoint {
  readonly site: SiteId
  readonly traffic = { bytesIn: 0, bytesOut: 0 }
  /** Messages judged `reject`, by sender. */
  readonly #rejected = new Map<SiteId, number>()
  readonly #network: SimNetwork
  readonly #isMember: (site: SiteId) => boolean
  readonly #life: Life
  #judge: Judge | null = null
  #deliver: Deliver | null = null
  #answer: Answer | null = null

  constructor(network: SimNetwork, life: Life, isMember: (site: SiteId) => boolean) {
    this.site = life.site
    this.#network = network
    this.#life = life
    this.#isMember = isMember
  }

  /** @param only of all peers, those that it is brought to */
  publish(message: Uint8Array, only: (peer: SiteId) => boolean = () => true): Promise<number> {
    return this.#life.at('gossip.publish', async () => {
      if (message.length > MESSAGE_LIMIT_BYTES) throw new RotaError('ROTA-4002', { size: message.length, limit: MESSAGE_LIMIT_BYTES })
      const counted = this.#network.countedOnly(this.site)
      if (counted !== null) {
        this.traffic.bytesOut += message.length * counted
        return counted
      }
      const receivers = this.peers().filter(only)
      this.#network.send(message.slice(), this.site, receivers)
      this.traffic.bytesOut += message.length * receivers.length
      return receivers.length
    })
  }

  async ask(site: SiteId, question: Uint8Array, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const answer = question.length > QUESTION_LIMIT_BYTES ? null : await this.#network.ask(question.slice(), this.site, site)
    if (!this.#life.alive) return forever()
    signal.throwIfAborted()
    if (answer === null || !this.#isMember(site)) throw new RotaError('ROTA-4005', { site })
    this.receive(answer, site)
  }

  async start(judge: Judge, deliver: Deliver, answer: Answer = () => null): Promise<void> {
    this.#judge = judge
    this.#deliver = deliver
    this.#answer = answer
    this.#network.attach(this)
  }

  async stop(): Promise<void> {
    this.#judge = null
    this.#deliver = null
    this.#answer = null
    this.#network.detach(this)
  }

  peers(): readonly SiteId[] {
    return this.#isMember(this.site) ? this.#network.hearersOf(this.site).filter(this.#isMember) : []
  }

  /** What this site thinks of a sender: each rejected message costs, and from a point on nothing of it is read. */
  scoreOf(site: SiteId): number {
    return 0 - REJECTION_COST * (this.#rejected.get(site) ?? 0)
  }

  receive(message: Uint8Array, from: SiteId): void {
    if (!this.#life.alive || this.#judge === null || !this.#isMember(from) || this.scoreOf(from) < DEAF_BELOW) return
    this.traffic.bytesIn += message.length
    const verdict = this.#judge(message, from)
    if (verdict === 'reject') this.#rejected.set(from, (this.#rejected.get(from) ?? 0) + 1)
    if (verdict === 'accept') this.#deliver?.(message, from)
  }

  answer(question: Uint8Array, from: SiteId): Uint8Array | null {
    if (!this.#life.alive || this.#answer === null || !this.#isMember(from) || !this.#isMember(this.site)) return null
    const said = this.#answer(question, from)
    if (said === null || said.length > MESSAGE_LIMIT_BYTES) return null
    this.traffic.bytesOut += said.length
    return said.slice()
  }
}
