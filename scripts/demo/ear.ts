import { DemoError } from './demo-error.ts'
import type { Heard } from './hospital.ts'

/** All that the nodes tell, in one place: acts wait here for what they want to see. */
export interface Ear {
  hear(heard: Heard): void
  /** Called for everything from now on (or, with `since`, since then); the answer ends it. */
  listen(listener: (heard: Heard) => void, since?: Mark): () => void
  /**
   * The first thing told from now on (or, with `since`, since then) that `wanted` makes something of.
   * @throws DemoError after `limitMs`, saying what did not happen
   */
  wait<T>(what: string, wanted: (heard: Heard) => T | undefined, limitMs: number, since?: Mark): Promise<T>
  /** Now, to be given to `wait` later. */
  mark(): Mark
}

export type Mark = number

/** @param advice told with what did not happen: where the logs are */
export function openEar(signal: AbortSignal, advice: string): Ear {
  const told: Heard[] = []
  const listeners = new Set<(heard: Heard) => void>()
  const listen: Ear['listen'] = (listener, since = told.length) => {
    for (const heard of told.slice(since)) listener(heard)
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }
  return {
    listen,
    hear(heard) {
      told.push(heard)
      for (const listener of [...listeners]) listener(heard)
    },
    mark: () => told.length,
    wait<T>(what: string, wanted: (heard: Heard) => T | undefined, limitMs: number, since: Mark = told.length): Promise<T> {
      for (const heard of told.slice(since)) {
        const found = wanted(heard)
        if (found !== undefined) return Promise.resolve(found)
      }
      return new Promise<T>((resolve, reject) => {
        const end = (settle: () => void) => {
          clearTimeout(timer)
          unlisten()
          signal.removeEventListener('abort', onAbort)
          settle()
        }
        const onAbort = () => end(() => reject(signal.reason))
        const unlisten = listen((heard) => {
          const found = wanted(heard)
          if (found !== undefined) end(() => resolve(found))
        })
        const timer = setTimeout(() => end(() => reject(new DemoError(`${what}: nothing of it after ${limitMs / 1_000} s`, advice))), limitMs)
        signal.addEventListener('abort', onAbort, { once: true })
        if (signal.aborted) onAbort()
      })
    },
  }
}
