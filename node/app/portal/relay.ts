import { fromHex } from '#base/bytes.ts'
import { isRotaError, nameOf, RotaError } from '#base/errors.ts'
import type { Address, Digest } from '#base/ids.ts'
import { type OnChain, RELAY_WORD, type Taken, type WithdrawalState } from '#patient/portal-api.ts'
import { type ConsentDomain, numberField, signDigest, typedDigest } from '#patient/typed-data.ts'
import type { SignedWithdrawal } from '#patient/withdrawal.ts'
import type { Clock, Log, Random } from '#ports/host.ts'
import { drawDelay } from './relay-delay.ts'
import type { RelayFigures, RelayTotals } from './relay-figures.ts'
import { keyOf, type Waiting, type WaitingFile, type WaitingKey } from './waiting-file.ts'

export interface RelayParts {
  readonly file: WaitingFile
  readonly domain: ConsentDomain
  /** Signs the relay's word. */
  readonly key: { readonly account: Address; readonly secret: Uint8Array }
  /** The longest that a withdrawal under the programme may wait. @throws ROTA-6504 a programme that the network does not have */
  promiseMs(programme: Digest): Promise<number>
  /** As the chain has it. */
  onChain(programme: Digest, tag: Digest): Promise<OnChain | null>
  /** Puts them on chain; what is there already is passed over. */
  send(programme: Digest, withdrawals: readonly SignedWithdrawal[]): Promise<void>
  readonly clock: Clock
  readonly random: Random
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>
  /** Of the relay before it over the same file. */
  readonly totals?: RelayTotals
}

/** What fits into memory and disk many times over; more at once is somebody who floods. */
const MOST_WAITING = 100_000
/** A chain that is away is tried again after this, then after twice as long, up to a minute. */
const FIRST_RETRY_MS = 500
const LONGEST_RETRY_MS = 60_000
/** Without anything due sooner: a machine that was suspended finds out by this. */
const LONGEST_REST_MS = 3_600_000

/** Takes signed withdrawals, gives its word for each, and puts them on chain after a random time, at moments that all relays share. */
export class Relay {
  readonly #parts: RelayParts
  #waiting = new Map<WaitingKey, Waiting>()
  readonly #taking = new Map<WaitingKey, Promise<Taken | OnChain>>()
  #wake: () => void = () => undefined
  #totals: RelayTotals
  readonly #openedMs: number

  constructor(parts: RelayParts) {
    this.#parts = parts
    const { received = 0, sent = 0, refused = 0 } = parts.totals ?? {}
    this.#totals = { received, sent, refused }
    this.#openedMs = parts.clock.nowMs()
  }

  /** Goes on where a relay before it stood. @throws ROTA-6514, 1306 */
  async open(): Promise<void> {
    this.#waiting = new Map(await this.#parts.file.open())
  }

  get waiting(): number {
    return this.#waiting.size
  }

  figures(): RelayFigures {
    let oldestMs = Number.POSITIVE_INFINITY
    for (const { at = this.#openedMs } of this.#waiting.values()) oldestMs = Math.min(oldestMs, at)
    return { ...this.#totals, waiting: this.#waiting.size, oldestAt: Number.isFinite(oldestMs) ? new Date(oldestMs).toISOString() : null }
  }

  /** A withdrawal was not taken, here or before it came here. */
  noteRefused(): void {
    this.#count({ refused: 1 })
  }

  #count({ received = 0, sent = 0, refused = 0 }: Partial<RelayTotals>): void {
    const before = this.#totals
    this.#totals = { received: before.received + received, sent: before.sent + sent, refused: before.refused + refused }
  }

  /** The word is given once it is on disk; the same withdrawal again gets the same word. @throws ROTA-6504, 6510, 1306 */
  take(withdrawal: SignedWithdrawal): Promise<Taken | OnChain> {
    const key = keyOf(withdrawal)
    // Two requests at one time must not draw two times of which only one is kept.
    const taking = this.#taking.get(key) ?? this.#takeOnce(withdrawal).finally(() => this.#taking.delete(key))
    this.#taking.set(key, taking)
    return taking
  }

  async #takeOnce(withdrawal: SignedWithdrawal): Promise<Taken | OnChain> {
    const { file, clock, random, promiseMs, onChain } = this.#parts
    const { programme, tag } = withdrawal
    const promise = await promiseMs(programme)
    const there = await onChain(programme, tag)
    if (there !== null) return there
    const known = this.#waiting.get(keyOf(withdrawal))
    if (known !== undefined) return this.#word(known)
    if (this.#waiting.size >= MOST_WAITING) throw new RotaError('ROTA-6510', { count: this.#waiting.size })
    const at = clock.nowMs()
    const waiting = { withdrawal, ...drawDelay(at, promise, random), at }
    await file.add(waiting)
    this.#waiting.set(keyOf(withdrawal), waiting)
    this.#count({ received: 1 })
    this.#wake()
    return this.#word(waiting)
  }

  async state(programme: Digest, tag: Digest): Promise<WithdrawalState> {
    const there = await this.#parts.onChain(programme, tag)
    if (there !== null) return there
    const known = this.#waiting.get(keyOf({ programme, tag }))
    return known === undefined ? { state: 'unknown', tag } : this.#word(known)
  }

  /** Sends what is due until the signal aborts; what waits then stays on disk. */
  async run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      const isSent = await this.#sendDue().catch((error: unknown) => {
        if (signal.aborted) return true
        throw error
      })
      failures = isSent ? 0 : failures + 1
      if (failures > 0) this.#tellLate()
      await this.#rest(failures, signal)
    }
  }

  #word({ withdrawal: { programme, tag }, by }: Waiting): Taken {
    const { domain, key } = this.#parts
    const seconds = Math.floor(by / 1000)
    const signature = signDigest(typedDigest(domain, RELAY_WORD, [fromHex(programme), fromHex(tag), numberField(BigInt(seconds))]), key.secret)
    return { state: 'waiting', tag, by: new Date(seconds * 1000).toISOString(), relay: key.account, signature }
  }

  /** False: some are left that the chain did not take. */
  async #sendDue(): Promise<boolean> {
    const now = this.#parts.clock.nowMs()
    const due = [...this.#waiting.values()].filter((waiting) => waiting.due <= now)
    const programmes = [...new Set(due.map(({ withdrawal }) => withdrawal.programme))]
    const sent = await Promise.all(
      programmes.map((programme) =>
        this.#sendBatch(
          programme,
          due.flatMap(({ withdrawal }) => (withdrawal.programme === programme ? [withdrawal] : [])),
        ),
      ),
    )
    return sent.every(Boolean)
  }

  /** A word that was not kept needs a person: the chain has been away for a quarter of the promised time and more. */
  #tellLate(): void {
    const { clock, log } = this.#parts
    const late = [...this.#waiting.values()].filter(({ by }) => by < clock.nowMs()).length
    if (late > 0) log.error('relay.late', { count: late })
  }

  /** In the order of tags, which says nothing of the order in which they came. */
  async #sendBatch(programme: Digest, withdrawals: readonly SignedWithdrawal[]): Promise<boolean> {
    const { send, onChain, file, log } = this.#parts
    try {
      await send(
        programme,
        withdrawals.toSorted((a, b) => (a.tag < b.tag ? -1 : 1)),
      )
      const there = await Promise.all(withdrawals.map(async (each) => ((await onChain(programme, each.tag)) === null ? [] : [keyOf(each)])))
      const done = there.flat()
      await file.done(done)
      for (const key of done) this.#waiting.delete(key)
      this.#count({ sent: done.length })
      log.info('relay.sent', { count: done.length })
      return done.length === withdrawals.length
    } catch (error) {
      if (!isRotaError(error)) throw error
      log.warn('relay.waits', { code: nameOf(error) })
      return false
    }
  }

  /** Until the next is due, or a new one comes; after a failure for a while in any case. */
  async #rest(failures: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts
    const woken = new AbortController()
    const isTrying = failures > 0
    this.#wake = isTrying ? () => undefined : () => woken.abort()
    const next = Math.min(...[...this.#waiting.values()].map(({ due }) => due))
    const ms = isTrying ? Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1)) : Math.min(LONGEST_REST_MS, Math.max(1, next - clock.nowMs()))
    await clock.sleep(ms, AbortSignal.any([signal, woken.signal])).catch(() => undefined)
  }
}
