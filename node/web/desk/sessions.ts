import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from '#ports/host.ts'
import type { DeskUser } from './users.ts'

/** Hospitals share screens: what nobody touches for a quarter of an hour is over, and everything after a shift. */
export const IDLE_MS = 15 * 60_000
export const LONGEST_MS = 8 * 3_600_000
const MOST_SESSIONS = 500
const MOST_OF_ONE = 5
const TOKEN_BYTES = 32

export interface Session {
  readonly user: DeskUser
  /** Sent with everything that changes something; only the desk's own page can read it. */
  readonly csrf: string
  readonly openedMs: number
  /** When it ends unless something happens before. */
  endsMs: number
}

/** Sessions are in memory alone, under digests of their tokens: a restart ends them all, and a dump of the map opens none. */
export class Sessions {
  readonly #clock: Pick<Clock, 'nowMs'>
  readonly #byToken = new Map<string, Session>()

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock
  }

  /** Always a new token: whatever the browser held before is worth nothing. */
  open(user: DeskUser): { readonly token: string; readonly session: Session } {
    const token = randomBytes(TOKEN_BYTES).toString('base64url')
    const openedMs = this.#clock.nowMs()
    const session: Session = { user, csrf: randomBytes(TOKEN_BYTES).toString('base64url'), openedMs, endsMs: openedMs + IDLE_MS }
    this.#makeRoom(user.name)
    this.#byToken.set(digestOf(token), session)
    return { token, session }
  }

  /** Null when there is none or it is over; else it lasts a quarter of an hour from now, and eight hours at most. */
  find(token: string | undefined): Session | null {
    if (token === undefined || token.length > 100) return null
    const key = digestOf(token)
    const session = this.#byToken.get(key)
    const nowMs = this.#clock.nowMs()
    if (session === undefined) return null
    if (nowMs >= session.endsMs) {
      this.#byToken.delete(key)
      return null
    }
    session.endsMs = Math.min(nowMs + IDLE_MS, session.openedMs + LONGEST_MS)
    return session
  }

  /** Whoever holds a copy of the token holds nothing now. */
  close(token: string): void {
    this.#byToken.delete(digestOf(token))
  }

  #makeRoom(name: string): void {
    const nowMs = this.#clock.nowMs()
    for (const [key, { endsMs }] of this.#byToken) if (nowMs >= endsMs) this.#byToken.delete(key)
    const own = [...this.#byToken].filter(([, { user }]) => user.name === name)
    for (const [key] of own.slice(0, Math.max(0, own.length - MOST_OF_ONE + 1))) this.#byToken.delete(key)
    while (this.#byToken.size >= MOST_SESSIONS) this.#byToken.delete(this.#byToken.keys().next().value as string)
  }
}

const digestOf = (token: string): string => createHash('sha256').update(token).digest('base64')
