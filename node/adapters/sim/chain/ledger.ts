import { codeForContractError } from '#base/chain-errors.ts'
import { type ErrorDetails, RotaError } from '#base/errors.ts'
import type { Address, Digest } from '#base/ids.ts'
import type { ChainEvent, Head } from '#ports/chain.ts'
import { digestOf } from '../hash.ts'
import type { SimTime } from '../time.ts'
import { type Call, ContractError, type SimEventBody } from './call.ts'

export type SimEvent = { readonly block: number; readonly index: number; readonly timestamp: number; readonly tx: Digest } & SimEventBody

export interface LedgerOptions {
  /** Blocks come at this interval besides one for each transaction; null: only for transactions. */
  readonly blockSeconds: number | null
  /** Tells one simulated chain from another. */
  readonly name: string
}

/** Kinds of events that the port knows; the others stay inside the simulator. */
const OTHER_KINDS: ReadonlySet<string> = new Set(['SiteProposed', 'SiteVoted', 'ProposalClosed', 'AccountReplaced'])

/**
 * Blocks, their times and events. Each transaction makes a block at once, a failed one too, and a block is at least a second
 * after the one before it: chain time runs ahead of the clock when there is much to do, as it does with instant mining.
 */
export class Ledger {
  readonly genesis: Digest
  readonly #time: SimTime
  readonly #options: LedgerOptions
  #block = 0
  #timestamp: number
  /** When the last block of the interval was due, in seconds of the world's clock. */
  #interval: number
  #head: Head | null = null
  #transactions = 0
  #stalledUntilMs = 0
  /** How often blocks were lost. */
  #forks = 0
  /** Of each block since the chain began; and how often blocks had been lost when it was made. */
  readonly #timestamps: number[] = []
  readonly #madeAfter: number[] = []
  #events: ChainEvent[] = []
  readonly #listeners = new Set<(events: readonly SimEvent[]) => void>()

  constructor(time: SimTime, options: LedgerOptions) {
    this.#time = time
    this.#options = options
    this.genesis = digestOf('genesis', options.name)
    this.#timestamp = this.#interval = this.#clockSeconds()
    this.#timestamps.push(this.#timestamp)
    this.#madeAfter.push(0)
  }

  head(): Head {
    this.#catchUp()
    if (this.#head?.number !== this.#block) {
      this.#head = Object.freeze({ number: this.#block, hash: this.hashOf(this.#block), timestamp: this.#timestamp })
    }
    return this.#head as Head
  }

  /** Another after a block was lost and made anew. */
  hashOf(block: number): Digest {
    const forks = this.#madeAfter[block] as number
    return digestOf('block', this.#options.name, block, ...(forks > 0 ? [forks] : []))
  }

  /** Runs one transaction in a block of its own. @throws ContractError when it failed; then it left no trace but its block */
  transact<T>(sender: Address, act: (call: Call) => T): T {
    this.#catchUp()
    this.#mine(this.#clockSeconds())
    const bodies: SimEventBody[] = []
    const result = act({ sender, block: this.#block, timestamp: this.#timestamp, hashOf: (block) => this.hashOf(block), emit: (event) => bodies.push(event) })
    this.#record(bodies)
    return result
  }

  /** `blocks` blocks without transactions, the last one `seconds` after the present one. */
  advance(seconds: number, blocks: number): void {
    this.#catchUp()
    const end = this.#timestamp + seconds
    for (let i = 1; i <= blocks; i++) this.#mine(i === blocks ? end : 0)
    for (const listener of this.#listeners) listener([])
  }

  /** Loses all blocks after `to`, as a chain does that goes back: what is mined next stands in their place, under other hashes. */
  rewind(to: number): void {
    this.#catchUp()
    if (to >= this.#block) return
    this.#block = Math.max(0, to)
    this.#timestamp = this.#timestamps[this.#block] as number
    this.#timestamps.length = this.#madeAfter.length = this.#block + 1
    this.#forks++
    this.#head = null
    this.#events = this.#events.filter(({ block }) => block <= this.#block)
    for (const listener of this.#listeners) listener([])
  }

  /** Events of blocks `from` to the head, in order. */
  eventsFrom(from: number): readonly ChainEvent[] {
    let low = 0
    let high = this.#events.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#events[middle] as ChainEvent).block < from) low = middle + 1
      else high = middle
    }
    return low === 0 ? this.#events : this.#events.slice(low)
  }

  /** Called after each transaction that did something, and after each `advance` with nothing. */
  onEvents(listener: (events: readonly SimEvent[]) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #record(bodies: readonly SimEventBody[]): void {
    const tx = digestOf('transaction', this.#options.name, this.#transactions++)
    const events = bodies.map((body, index) => Object.freeze({ block: this.#block, index, timestamp: this.#timestamp, tx, ...body }))
    for (const event of events) if (!OTHER_KINDS.has(event.kind)) this.#events.push(event as ChainEvent)
    if (events.length > 0) for (const listener of this.#listeners) listener(events)
  }

  /** No block of the interval comes before this moment; then time jumps. */
  stallUntil(ms: number): void {
    this.#catchUp()
    this.#stalledUntilMs = ms
  }

  #catchUp(): void {
    if (this.#options.blockSeconds === null || this.#time.nowMs < this.#stalledUntilMs) return
    if (this.#stalledUntilMs > 0) {
      this.#stalledUntilMs = 0
      this.#interval = this.#clockSeconds() - this.#options.blockSeconds
    }
    for (const now = this.#clockSeconds(); this.#interval + this.#options.blockSeconds <= now; ) {
      this.#interval += this.#options.blockSeconds
      this.#mine(this.#interval)
    }
  }

  #mine(atLeast: number): void {
    this.#block++
    this.#timestamp = Math.max(this.#timestamp + 1, atLeast)
    this.#timestamps.push(this.#timestamp)
    this.#madeAfter.push(this.#forks)
  }

  #clockSeconds(): number {
    return Math.floor(this.#time.nowMs / 1000)
  }
}

/** What the port's caller meets in place of a contract's error. */
export function asRotaError(error: unknown): unknown {
  if (!(error instanceof ContractError)) return error
  const details: ErrorDetails = { error: error.error, ...error.details }
  return new RotaError(codeForContractError(error.error), details)
}
