import type { SimWorld } from '#adapters/sim/world.ts'
import type { Digest } from '#base/ids.ts'
import { decodeMessage } from '#wire/message.ts'

/** What each simulated site sends and gets in the rounds from `first` to `last`: blocks and messages, each counted to the round that it belongs to. */
export class MovedBytes {
  readonly #first: number
  readonly #last: number
  /** The one that the run began with, and what each round made of the one before. */
  readonly #models: Digest[] = []
  #isOpen = false
  readonly #sites: { bytesIn: number; bytesOut: number }[]

  constructor(sites: number, first: number, last: number) {
    this.#first = first
    this.#last = last
    this.#sites = Array.from({ length: sites }, () => ({ bytesIn: 0, bytesOut: 0 }))
  }

  listen({ disks, network }: SimWorld): void {
    disks.onCopy = (cid, lengthBytes, from, to) => {
      if (this.#counts(cid)) this.#move(lengthBytes, from, [to])
    }
    network.onSend = (message, from) => {
      const round = roundOf(message)
      if (round === null || this.#isCounted(round)) this.#move(message.length, from, network.hearersOf(from))
    }
  }

  /** To be told the round and the model that a site sees. */
  seen(round: number, model: Digest): void {
    if (round >= this.#first) this.#isOpen = true
    if (!this.#models.includes(model)) this.#models.push(model)
  }

  total(of: 'bytesIn' | 'bytesOut'): number[] {
    return this.#sites.map((site) => site[of])
  }

  /** A model is fetched by whoever came too late to make it: that is work of the round that made it. All else that is fetched later counts too. */
  #counts(cid: Digest): boolean {
    const madeBy = this.#models.indexOf(cid)
    return madeBy < 0 ? this.#isOpen : this.#isCounted(madeBy)
  }

  #isCounted(round: number): boolean {
    return round >= this.#first && round <= this.#last
  }

  #move(lengthBytes: number, from: number, to: readonly number[]): void {
    const sender = this.#sites[from]
    if (sender !== undefined) sender.bytesOut += lengthBytes * to.length
    for (const site of to) {
      const receiver = this.#sites[site]
      if (receiver !== undefined) receiver.bytesIn += lengthBytes
    }
  }
}

/** Null of words of no round. */
function roundOf(message: Uint8Array): number | null {
  const said = decodeMessage(message)
  const word = said.kind === 'together' ? said.words[0] : said
  return word !== undefined && 'round' in word ? word.round : null
}
