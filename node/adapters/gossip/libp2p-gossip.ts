import { setTimeout as sleep } from 'node:timers/promises'
import { type GossipSub, type GossipSubComponents, gossipsub, type Message, TopicValidatorResult } from '@chainsafe/libp2p-gossipsub'
import type { PeerId } from '@libp2p/interface'
import { RotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import { type Gossip, QUESTION_LIMIT_BYTES } from '#ports/gossip.ts'
import type { Log } from '#ports/host.ts'
import type { Members } from '#ports/members.ts'
import { MESSAGE_LIMIT_BYTES } from '#wire/announce.ts'
import { gossipsubOptions } from './gossipsub-options.ts'
import { Penalties, UNREAD_SCORE } from './penalties.ts'

export interface Libp2pGossipOptions {
  /** See topicOf. */
  readonly topic: string
  readonly members: Members
  readonly log: Log
  /** Of the network that `service` is handed to; called once that runs. */
  readonly line: () => Line
}

/** Questions of one member to another: one question and one answer a stream. Strangers are not served. */
export interface Line {
  /** No bytes: there is nothing to say. */
  serve(protocol: string, limitBytes: number, answer: (question: Uint8Array, from: SiteId) => Promise<Uint8Array>): Promise<void>
  unserve(protocol: string): Promise<void>
  /** @throws ROTA-4005 not reached, cut off or nothing to say, 4007 does not know the protocol, 4002 over the limit, or the signal's reason */
  ask(site: SiteId, protocol: string, limitBytes: number, question: Uint8Array, signal: AbortSignal): Promise<Uint8Array>
}

/** What a member said is asked for by this name; a member of an older version does not know it. */
export const WORDS_PROTOCOL = '/rota/words/1'
const ANSWER_MS = 10_000

/**
 * An accepted message is delivered at once, and passed on this much later: by then the neighbours who had it from its sender have said that they do not want it,
 * and only those who could not be reached get a copy. Without it each message crosses a small network three times.
 */
const PASS_ON_AFTER_MS = 80

/** What gossipsub's class has and its published interface has not (17.1.1). */
interface Scoring {
  readonly score: { rejectInvalidMessage(peerId: string, topic: string): void }
}

type Judge = Parameters<Gossip['start']>[0]
type Deliver = Parameters<Gossip['start']>[1]
type Answer = NonNullable<Parameters<Gossip['start']>[2]>

/**
 * Gossip over gossipsub with signed messages. Hand `service` to the libp2p host before it starts; then `start`.
 * What is published while a member is not connected never reaches that member: the caller announces again.
 */
export class Libp2pGossip implements Gossip {
  readonly #options: Libp2pGossipOptions
  readonly #penalties = new Penalties(() => performance.now())
  readonly #traffic = { bytesIn: 0, bytesOut: 0 }
  /** Subscribed members that the last message did not go to. */
  #missed: ReadonlySet<string> = new Set()
  /** Looks at what a member answers as at what it publishes. */
  #take: ((message: Uint8Array, from: SiteId) => void) | null = null
  #pubsub: GossipSub | null = null
  #hangUp: (peer: PeerId) => Promise<void> = async () => undefined

  constructor(options: Libp2pGossipOptions) {
    this.#options = options
  }

  /** The libp2p service: makes gossipsub on that host, for this object. */
  readonly service = (components: GossipSubComponents): GossipSub => {
    const { topic, members } = this.#options
    this.#pubsub = gossipsub(gossipsubOptions(topic, members, this.#penalties))(components)
    this.#hangUp = (peer) => components.connectionManager.closeConnections(peer)
    this.#tellForged(this.#pubsub as unknown as Scoring)
    return this.#pubsub
  }

  /** What is not signed by whom it names never comes to #validate: gossipsub throws it away, and charges who brought it. */
  #tellForged({ score }: Scoring): void {
    const charge = score.rejectInvalidMessage.bind(score)
    score.rejectInvalidMessage = (peerId, topic) => {
      const { code, message } = new RotaError('ROTA-4017', { site: this.#options.members.siteOf(peerId) ?? 'unknown' })
      this.#options.log.warn('gossip.forged', { peerId, code, what: message })
      charge(peerId, topic)
    }
  }

  /** Bytes of messages, without what carries them; the network's own count has all. */
  get traffic(): { readonly bytesIn: number; readonly bytesOut: number } {
    return this.#traffic
  }

  async start(judge: Judge, deliver: Deliver, answer: Answer = () => null): Promise<void> {
    const pubsub = this.#running()
    this.#take = (message, from) => void this.#judged(message, from, null, judge, deliver)
    await this.#options.line().serve(WORDS_PROTOCOL, QUESTION_LIMIT_BYTES, async (question, from) => this.#answered(answer(question, from)))
    pubsub.topicValidators.set(this.#options.topic, (peer, message) => this.#validate(peer.toString(), message, judge, deliver))
    pubsub.subscribe(this.#options.topic)
  }

  async stop(): Promise<void> {
    if (this.#take !== null) await this.#options.line().unserve(WORDS_PROTOCOL)
    this.#take = null
    this.#pubsub?.topicValidators.set(this.#options.topic, () => TopicValidatorResult.Ignore)
    if (this.#pubsub?.getTopics().includes(this.#options.topic)) this.#pubsub.unsubscribe(this.#options.topic)
  }

  async publish(message: Uint8Array): Promise<number> {
    // Above 4 MiB gossipsub itself would resolve, and reach nobody.
    if (message.length > MESSAGE_LIMIT_BYTES) throw new RotaError('ROTA-4002', { size: message.length, limit: MESSAGE_LIMIT_BYTES })
    const { recipients } = await this.#running().publish(this.#options.topic, message)
    this.#traffic.bytesOut += message.length * recipients.length
    this.#reviveDeaf(new Set(recipients.map(String)))
    return recipients.length
  }

  async ask(site: SiteId, question: Uint8Array, signal: AbortSignal): Promise<void> {
    // Whoever said too much that was rejected is not read, and so not asked.
    if (this.#take === null || this.scoreOf(site) < UNREAD_SCORE) throw new RotaError('ROTA-4005', { site })
    const limited = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)])
    const asked = this.#options.line().ask(site, WORDS_PROTOCOL, MESSAGE_LIMIT_BYTES, question, limited)
    const message = await asked.catch((cause: unknown) => {
      signal.throwIfAborted()
      throw limited.aborted ? new RotaError('ROTA-4005', { site }, cause) : cause
    })
    this.#traffic.bytesIn += message.length
    this.#take?.(message, site)
  }

  #answered(said: Uint8Array | null): Uint8Array {
    const message = said === null || said.length > MESSAGE_LIMIT_BYTES ? new Uint8Array(0) : said
    this.#traffic.bytesOut += message.length
    return message
  }

  peers(): readonly SiteId[] {
    const sites = (this.#pubsub?.getSubscribers(this.#options.topic) ?? []).map((peer) => this.#options.members.siteOf(peer.toString()))
    return sites.filter((site) => site !== undefined).sort((a, b) => a - b)
  }

  /**
   * Gossipsub opens its stream to a peer once a connection; should that stream fail alone, the peer gets nothing from here ever after, without an error.
   * So who is subscribed and twice in a row was sent nothing, though in good standing, is hung up on: the network dials again.
   */
  #reviveDeaf(reached: ReadonlySet<string>): void {
    const missed = this.#running()
      .getSubscribers(this.#options.topic)
      .filter(
        (peer) =>
          !reached.has(peer.toString()) &&
          this.#options.members.siteOf(peer.toString()) !== undefined &&
          this.#penalties.scoreOf(peer.toString()) > UNREAD_SCORE / 2,
      )
    const deaf = missed.filter((peer) => this.#missed.has(peer.toString()))
    this.#missed = new Set(missed.map(String))
    for (const peer of deaf) {
      this.#options.log.warn('gossip.deaf-peer', { peerId: peer.toString() })
      this.#hangUp(peer).catch((error) => this.#options.log.debug('gossip.hang-up-failed', { peerId: peer.toString(), reason: String(error) }))
    }
  }

  /** What this host thinks of a member's messages: 0 at first; below −80 they are not read. */
  scoreOf(site: SiteId): number {
    const member = this.#options.members.list().find((candidate) => candidate.site === site)
    return member === undefined ? UNREAD_SCORE - 1 : this.#penalties.scoreOf(member.peerId)
  }

  /** Member, then size, then what the message means: each check is paid for only when the one before passed. The signature was checked already. */
  async #validate(relayedBy: string, message: Message, judge: Judge, deliver: Deliver): Promise<TopicValidatorResult> {
    if (this.#options.members.siteOf(relayedBy) === undefined) return TopicValidatorResult.Reject
    const from = this.#senderOf(message)
    // Whoever passed it on may just not know yet that its signer was removed: ignoring costs nobody anything.
    if (from === undefined || this.scoreOf(from) < UNREAD_SCORE) return TopicValidatorResult.Ignore
    if (message.data.length > MESSAGE_LIMIT_BYTES) {
      this.#reject(from, relayedBy)
      return TopicValidatorResult.Ignore
    }
    this.#traffic.bytesIn += message.data.length
    if (!this.#judged(message.data, from, relayedBy, judge, deliver)) return TopicValidatorResult.Ignore
    await sleep(PASS_ON_AFTER_MS, undefined, { ref: false })
    return TopicValidatorResult.Accept
  }

  /** @param relayedBy null: the member itself answered so @returns whether it was taken */
  #judged(message: Uint8Array, from: SiteId, relayedBy: string | null, judge: Judge, deliver: Deliver): boolean {
    try {
      const verdict = judge(message, from)
      if (verdict === 'reject') this.#reject(from, relayedBy)
      if (verdict === 'accept') deliver(message, from)
      return verdict === 'accept'
    } catch (error) {
      this.#options.log.error('gossip.judge-failed', { site: from, reason: error instanceof Error ? error.name : 'unknown' })
      return false
    }
  }

  /** Counts against the signer, not against who brought it: see Penalties. */
  #reject(from: SiteId, relayedBy: string | null): void {
    const signer = this.#options.members.list().find((member) => member.site === from)
    if (signer !== undefined) this.#penalties.add(signer.peerId)
    this.#options.log.warn('gossip.rejected', { site: from, peerId: relayedBy ?? signer?.peerId })
  }

  #senderOf(message: Message): SiteId | undefined {
    return message.type === 'signed' ? this.#options.members.siteOf(message.from.toString()) : undefined
  }

  #running(): GossipSub {
    if (this.#pubsub === null) throw new RotaError('ROTA-4008', { setting: 'services', why: 'gossip was not given to the network' })
    return this.#pubsub
  }
}
