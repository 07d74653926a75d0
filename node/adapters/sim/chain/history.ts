import type { Address } from '#base/ids.ts'
import type { Call } from './call.ts'

/** A transaction that did something, as it can be run again. */
export interface Transaction {
  readonly sender: Address
  readonly block: number
  readonly timestamp: number
  readonly act: (call: Call) => unknown
}

/** All transactions that stand, oldest first: contracts as of an earlier block are made by running those up to it again. */
export class History {
  readonly #past: Transaction[] = []

  note(transaction: Transaction): void {
    this.#past.push(transaction)
  }

  /** Forgets those of blocks after `to`, and gives them back. */
  cut(to: number): readonly Transaction[] {
    const first = this.#past.findIndex(({ block }) => block > to)
    return first < 0 ? [] : this.#past.splice(first)
  }

  /** On contracts that know nothing yet. Nobody hears of the events: they have been told. @param hashOf a block that stands */
  replay(hashOf: Call['hashOf']): void {
    for (const { sender, block, timestamp, act } of this.#past) act({ sender, block, timestamp, hashOf, emit: () => undefined })
  }
}
