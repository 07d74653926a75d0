import { macOf, readProof, sameMac, sessionContext, sessionSecret, WINDOW_MS } from '#audit/request-proof.ts'
import type { Digest } from '#base/ids.ts'
import { isDigest } from '#base/ids.ts'
import type { Clock, Random } from '#ports/host.ts'
import type { Vault } from '#ports/vault.ts'

/** How long a reader may use one session. */
const SESSION_S = 3600
/** Requests whose nonces are remembered; one reader cannot ask faster than this in a window. */
const MOST_NONCES = 50_000

export interface ReaderAccess {
  /** A session wrapped to the reader, as JSON would carry it; null for a stranger. */
  session(reader: string | null): Promise<{ readonly wrap: string; readonly expires: number; readonly now: number } | null>
  /** Why a request is refused, or null when it may pass. */
  refusal(header: string | undefined, path: string): Promise<string | null>
}

/**
 * Decides who gets blocks: readers that a study of this site lists, by the proof of request-proof.ts.
 * @param readers the keys that count now; asked at each session and request, so that nobody stays in by an old session
 */
export function readerAccess(
  readers: () => Promise<readonly Digest[]>,
  vault: Pick<Vault, 'wrap'>,
  host: { readonly clock: Clock; readonly random: Random },
): ReaderAccess {
  const secret = host.random.bytes(32)
  const seen = new Nonces()
  const listed = async (reader: Digest) => (await readers()).includes(reader)
  return {
    async session(reader) {
      if (!isDigest(reader) || !(await listed(reader))) return null
      const now = host.clock.nowMs()
      const expires = Math.floor(now / 1000) + SESSION_S
      const [wrapped] = vault.wrap(sessionSecret(secret, reader, expires), [reader], sessionContext(reader, expires))
      return wrapped ? { wrap: `0x${Buffer.from(wrapped.wrap).toString('hex')}`, expires, now } : null
    },
    async refusal(header, path) {
      const proof = readProof(header)
      const now = host.clock.nowMs()
      if (proof === null) return 'no proof of a reader'
      const { reader, expires, timeMs, nonce, mac } = proof
      if (!sameMac(mac, macOf(sessionSecret(secret, reader, expires), path, timeMs, nonce))) return 'the proof does not fit'
      if (expires * 1000 < now) return 'the session is over'
      if (Math.abs(now - timeMs) > WINDOW_MS) return "the request's time is not now"
      if (!(await listed(reader))) return 'no study lists this reader'
      return seen.take(Buffer.from(nonce).toString('hex'), now) ? null : 'the request was seen before'
    },
  }
}

/** Remembers nonces for as long as their times pass. */
class Nonces {
  readonly #until = new Map<string, number>()

  /** False when it was taken before, or when too many are remembered to tell. */
  take(nonce: string, now: number): boolean {
    for (const [old, until] of this.#until) {
      if (until >= now) break
      this.#until.delete(old)
    }
    if (this.#until.has(nonce) || this.#until.size >= MOST_NONCES) return false
    this.#until.set(nonce, now + 2 * WINDOW_MS + 1)
    return true
  }
}
