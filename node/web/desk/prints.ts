import { randomBytes } from 'node:crypto'
import { RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import type { Clock } from '#ports/host.ts'
import type { Printable } from './desk-work.ts'

/** Long enough for a file of many; a card holds a secret that this site must not keep. */
const KEPT_MS = 2 * 3_600_000
const MOST_KEPT = 2_000

interface Kept extends Printable {
  readonly who: string
  readonly digest: Digest
  readonly untilMs: number
}

/** What waits to be printed, in memory alone, for the steward who made it. */
export class Prints {
  readonly #clock: Pick<Clock, 'nowMs'>
  readonly #kept = new Map<string, Kept>()

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock
  }

  /** @returns the name under which it is fetched */
  keep(who: string, digest: Digest, print: Printable): string {
    const nowMs = this.#clock.nowMs()
    for (const [id, { untilMs }] of this.#kept) if (nowMs >= untilMs) this.#kept.delete(id)
    while (this.#kept.size >= MOST_KEPT) this.#kept.delete(this.#kept.keys().next().value as string)
    const id = randomBytes(16).toString('base64url')
    this.#kept.set(id, { ...print, who, digest, untilMs: nowMs + KEPT_MS })
    return id
  }

  /** @throws ROTA-6714 */
  find(who: string, id: string): Printable & { readonly digest: Digest } {
    const found = this.#kept.get(id)
    if (found === undefined || found.who !== who || this.#clock.nowMs() >= found.untilMs) throw new RotaError('ROTA-6714')
    return found
  }

  /** It was handed over. */
  drop(who: string, id: string): void {
    if (this.#kept.get(id)?.who === who) this.#kept.delete(id)
  }
}
