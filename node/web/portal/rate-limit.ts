import { isIPv6 } from 'node:net'
import type { Clock } from '#ports/host.ts'

/** A page asks about ten times when it is opened, a withdrawal looks once a second at first. */
export const USUAL_REQUESTS = 300

/** More addresses than this are not told apart: who floods from many is limited together with the rest. */
const MOST_ADDRESSES = 20_000

/** So many requests an address may make at once, refilled in a minute. Remembers addresses for as long as they are not refilled, and writes none down. */
export class RateLimit {
  readonly #clock: Pick<Clock, 'nowMs'>
  readonly #perMinute: number
  readonly #used = new Map<string, { left: number; at: number }>()

  constructor(perMinute: number, clock: Pick<Clock, 'nowMs'>) {
    this.#perMinute = perMinute
    this.#clock = clock
  }

  /** False: one more would be too many. @param cost of a request that takes longer than others */
  take(address: string, cost = 1): boolean {
    const now = this.#clock.nowMs()
    if (this.#used.size > MOST_ADDRESSES) this.#forgetRefilled(now)
    const key = this.#used.size > MOST_ADDRESSES && !this.#used.has(address) ? 'others' : address
    const known = this.#used.get(key) ?? { left: this.#perMinute, at: now }
    const left = Math.min(this.#perMinute, known.left + (Math.max(0, now - known.at) * this.#perMinute) / 60_000)
    const allowed = left >= cost
    this.#used.set(key, { left: allowed ? left - cost : left, at: now })
    return allowed
  }

  #forgetRefilled(now: number): void {
    for (const [address, { left, at }] of this.#used) if (left + ((now - at) * this.#perMinute) / 60_000 >= this.#perMinute) this.#used.delete(address)
  }
}

/** Whoever has one address of IPv6 has 2^64 of them: the first half counts for all. Others are as they are. */
export function networkPart(address: string): string {
  const isV6 = isIPv6(address) && !address.includes('.')
  if (!isV6) return address
  const [head = '', tail] = address.split('%', 1)[0]?.split('::') ?? []
  const [first, last] = [groupsOf(head), groupsOf(tail ?? '')]
  const all = tail === undefined ? first : [...first, ...Array<string>(8 - first.length - last.length).fill('0'), ...last]
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}

const groupsOf = (text: string): readonly string[] => (text === '' ? [] : text.split(':'))
