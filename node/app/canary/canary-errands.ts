import { systemClock } from '#adapters/host/system-host.ts'
import { toHex } from '#base/bytes.ts'
import type { Random } from '#ports/host.ts'

/** Work that takes longer than a client waits for an answer: it gets a ticket, and asks again with it. One at a time: two canaries at once would measure each other. */
export interface Errands {
  /** @returns the ticket */
  begin(work: (onStep: (text: string) => void) => Promise<object>): string
  /** What it came to, or, a second later, how far it is; null when there is no such ticket. @throws what the work threw */
  look(ticket: string): Promise<object | null>
  /** Waits until none is under way. */
  over(): Promise<void>
}

interface Errand {
  step: string
  readonly work: Promise<object>
}

const LOOK_MS = 1_000
/** Of clients that went away without their answer. */
const MOST_KEPT = 8

export function createErrands(random: Random, signal: AbortSignal): Errands {
  const kept = new Map<string, Errand>()
  let last: Promise<unknown> = Promise.resolve()
  return {
    begin(work) {
      const ticket = toHex(random.bytes(8))
      const tell = (text: string): void => {
        errand.step = text
      }
      const errand: Errand = { step: 'waits for another canary', work: last.then(() => work(tell)) }
      last = errand.work.catch(() => undefined)
      kept.set(ticket, errand)
      const [oldest] = kept.keys()
      if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest)
      return ticket
    },
    async look(ticket) {
      const errand = kept.get(ticket)
      if (errand === undefined) return null
      const late = new AbortController()
      const slept = systemClock.sleep(LOOK_MS, AbortSignal.any([signal, late.signal])).then(
        () => null,
        () => null,
      )
      const answer = await Promise.race([errand.work, slept]).finally(() => late.abort())
      if (answer !== null) kept.delete(ticket)
      return answer ?? { ticket, step: errand.step }
    },
    async over() {
      await last
    },
  }
}
