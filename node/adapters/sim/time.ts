const GRID_MS = 10

/** Time that passes only when everybody waits: a run with hours of limits plays in milliseconds, the same way each time. */
export class SimTime {
  #nowMs: number
  #order = 0
  #pumping = false
  #stopped = false
  #busy = 0
  readonly #queue = new EventQueue()
  readonly #steps = new Map<number, (() => void)[]>()

  constructor(startMs: number) {
    this.#nowMs = startMs
  }

  get nowMs(): number {
    return this.#nowMs
  }

  /** Events that wait. */
  get pending(): number {
    return this.#queue.size
  }

  /** Calls `act` when `afterMs` of virtual time have passed; events of the same moment come in the order of their calls. */
  after(afterMs: number, act: () => void): Cancel {
    const event = { atMs: this.#nowMs + Math.max(0, afterMs), order: this.#order++, act: act as (() => void) | null }
    if (!this.#stopped) this.#queue.push(event)
    this.#wakePump()
    return () => {
      event.act = null
    }
  }

  /**
   * Calls `act` at the first step of the grid of 10 ms after `afterMs`. What comes within a step comes together, in the order of
   * the calls: a hundred messages wake a site once, not a hundred times.
   */
  together(afterMs: number, act: () => void): void {
    const atMs = Math.ceil((this.#nowMs + afterMs) / GRID_MS) * GRID_MS
    const others = this.#steps.get(atMs)
    if (others !== undefined) {
      others.push(act)
      return
    }
    const acts = [act]
    this.#steps.set(atMs, acts)
    this.after(atMs - this.#nowMs, () => {
      this.#steps.delete(atMs)
      for (const each of acts) each()
    })
  }

  /** @throws the signal's reason when it aborts first */
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const onAbort = () => {
        cancel()
        reject(signal?.reason)
      }
      const cancel = this.after(ms, () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** Stands still while `work` runs outside the simulation (a worker, a file): otherwise its duration would decide the order of events. */
  async hold<T>(work: Promise<T>): Promise<T> {
    this.#busy++
    try {
      return await work
    } finally {
      this.#busy--
      this.#wakePump()
    }
  }

  /**
   * Waits for `work` in virtual time.
   * @throws Error when it takes longer than `withinMs`, or when nothing is left that could end it before
   */
  async within<T>(work: Promise<T>, withinMs: number): Promise<T> {
    let cancel: Cancel = () => {}
    const late = new Promise<never>((_, reject) => {
      cancel = this.after(withinMs, () => reject(new Error(`not done within ${withinMs} ms of simulated time`)))
    })
    try {
      return await Promise.race([work, late])
    } finally {
      cancel()
    }
  }

  /** Forgets all that waits; nothing that sleeps wakes again. */
  stop(): void {
    this.#stopped = true
    this.#queue.clear()
    this.#steps.clear()
  }

  #wakePump(): void {
    if (this.#pumping || this.#busy > 0 || this.#queue.size === 0) return
    this.#pumping = true
    setImmediate(() => this.#pump())
  }

  /** One event at a time: an immediate runs when all promises that could go on have gone on. */
  #pump(): void {
    this.#pumping = false
    if (this.#busy > 0) return
    for (let event = this.#queue.pop(); event !== undefined; event = this.#queue.pop()) {
      if (event.act === null) continue
      this.#nowMs = event.atMs
      event.act()
      break
    }
    this.#wakePump()
  }
}

export type Cancel = () => void

interface Event {
  readonly atMs: number
  readonly order: number
  /** null when cancelled. */
  act: (() => void) | null
}

const before = (a: Event, b: Event): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)

/** Binary heap, earliest event first. */
class EventQueue {
  readonly #heap: Event[] = []

  get size(): number {
    return this.#heap.length
  }

  clear(): void {
    this.#heap.length = 0
  }

  push(event: Event): void {
    const heap = this.#heap
    let i = heap.push(event) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (before(heap[parent] as Event, event)) break
      heap[i] = heap[parent] as Event
      i = parent
    }
    heap[i] = event
  }

  pop(): Event | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || first === last) return first
    this.#sink(last)
    return first
  }

  #sink(event: Event): void {
    const heap = this.#heap
    let i = 0
    for (let child = 1; child < heap.length; child = 2 * i + 1) {
      if (child + 1 < heap.length && before(heap[child + 1] as Event, heap[child] as Event)) child++
      if (before(event, heap[child] as Event)) break
      heap[i] = heap[child] as Event
      i = child
    }
    heap[i] = event
  }
}
