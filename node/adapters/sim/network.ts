import { has } from '#base/bitmap.ts'
import type { Bitmap, SiteId } from '#base/ids.ts'
import type { GossipFaults } from './faults.ts'
import type { SimRandom } from './random.ts'
import type { SimTime } from './time.ts'

export interface NetworkOptions {
  /** Shortest and longest time of a message or request on the way, in milliseconds. */
  readonly latencyMs: readonly [number, number]
  readonly faults: GossipFaults
  /** Probability that an object that was asked for does not arrive. */
  readonly fetchLoss?: number
  /** Messages are brought to nobody. */
  readonly deaf?: boolean
}

/** What one site's gossip shows to the network while the site lives. */
export interface Endpoint {
  readonly site: SiteId
  receive(message: Uint8Array, from: SiteId): void
  /** What it says again to whoever asks; null: nothing. */
  answer(question: Uint8Array, from: SiteId): Uint8Array | null
}

/** Links between all sites that are up; a partition cuts those between its sides. */
export class SimNetwork {
  readonly time: SimTime
  readonly #random: SimRandom
  readonly #options: NetworkOptions
  readonly #up = new Set<SiteId>()
  readonly #endpoints = new Map<SiteId, Endpoint>()
  #side: Bitmap | null = null
  /** Sites that give one half of the others bytes of another message than the other half. */
  readonly equivocates = new Set<SiteId>()
  onEquivocation: () => void = () => undefined
  /** Told of each message that a site sends. */
  onSend: ((message: Uint8Array, from: SiteId) => void) | null = null
  /** Told of each question that a site asks another. */
  onAsk: ((from: SiteId, to: SiteId) => void) | null = null

  constructor(time: SimTime, random: SimRandom, options: NetworkOptions) {
    this.time = time
    this.#random = random
    this.#options = options
  }

  up(site: SiteId): void {
    this.#up.add(site)
  }

  down(site: SiteId): void {
    this.#up.delete(site)
    this.#endpoints.delete(site)
  }

  /** Hears messages from now on, in place of the site's former endpoint. */
  attach(endpoint: Endpoint): void {
    this.#endpoints.set(endpoint.site, endpoint)
  }

  detach(endpoint: Endpoint): void {
    if (this.#endpoints.get(endpoint.site) === endpoint) this.#endpoints.delete(endpoint.site)
  }

  /** Only sites on the same side of `side` reach each other; null heals. */
  partition(side: Bitmap | null): void {
    this.#side = side
  }

  reaches(from: SiteId, to: SiteId): boolean {
    return this.#up.has(from) && this.#up.has(to) && (this.#side === null || has(this.#side, from) === has(this.#side, to))
  }

  /** Sites that hear messages of `from` now, in the order in which they came up. */
  hearersOf(from: SiteId): SiteId[] {
    const hearers: SiteId[] = []
    for (const site of this.#endpoints.keys()) if (site !== from && this.reaches(from, site)) hearers.push(site)
    return hearers
  }

  /** How many would hear it where messages are counted and not brought; null where they are brought. */
  countedOnly(from: SiteId): number | null {
    return this.#options.deaf === true ? this.#endpoints.size - (this.#endpoints.has(from) ? 1 : 0) : null
  }

  /** Resolves when a request of now is answered. */
  answered(): Promise<void> {
    return new Promise((resolve) => this.time.together(this.latencyMs(), resolve))
  }

  /** What `to` answers; null when it has nothing to say, cannot be reached, or its answer is lost. */
  async ask(question: Uint8Array, from: SiteId, to: SiteId): Promise<Uint8Array | null> {
    this.onAsk?.(from, to)
    await this.answered()
    if (!this.reaches(from, to) || this.losesAnswer()) return null
    const answer = this.#endpoints.get(to)?.answer(question, from) ?? null
    return answer === null ? null : this.#told(answer, to, from)
  }

  losesAnswer(): boolean {
    return this.#random.chance(this.#options.fetchLoss ?? 0)
  }

  latencyMs(): number {
    return this.#random.int(...(this.#options.latencyMs as [number, number]))
  }

  /** Brings `message` to each of `receivers` after the latency, or as the faults will have it. */
  send(message: Uint8Array, from: SiteId, receivers: readonly SiteId[]): void {
    this.onSend?.(message, from)
    const { loss, duplicate, delay, slowMs } = this.#options.faults
    if (loss === 0 && duplicate === 0 && delay === 0) {
      this.time.together(this.latencyMs(), () => receivers.forEach((receiver) => this.#bring(message, from, receiver)))
      return
    }
    for (const receiver of receivers) {
      if (this.#random.chance(loss)) continue
      const copies = this.#random.chance(duplicate) ? 2 : 1
      for (let copy = 0; copy < copies; copy++)
        this.time.together(this.latencyMs() + (this.#random.chance(delay) ? slowMs : 0), () => this.#bring(message, from, receiver))
    }
  }

  #bring(message: Uint8Array, from: SiteId, receiver: SiteId): void {
    if (!this.reaches(from, receiver)) return
    this.#endpoints.get(receiver)?.receive(this.#told(message, from, receiver), from)
  }

  /** What becomes of a message to this receiver where its sender tells each half of the others something else. */
  #told(message: Uint8Array, from: SiteId, receiver: SiteId): Uint8Array {
    if (!this.equivocates.has(from) || receiver % 2 === 0) return message
    this.onEquivocation()
    return altered(message)
  }
}

/** An announcement ends with the object that it brings: that one is another, and the rest holds. */
function altered(message: Uint8Array): Uint8Array {
  const other = message.slice()
  if (other.length > 0) other[other.length - 1] = (other[other.length - 1] as number) ^ 0x80
  return other
}
