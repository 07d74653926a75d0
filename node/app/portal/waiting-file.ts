import { open } from 'node:fs/promises'
import { diskError, readIfThere, writeAtomic } from '#adapters/journal/atomic-file.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import { readWithdrawal, type SignedWithdrawal } from '#patient/withdrawal.ts'

/** A withdrawal that a relay took and that is not on chain yet. Nothing in it is secret: it is signed, and public soon. */
export interface Waiting {
  readonly withdrawal: SignedWithdrawal
  /** When it is sent. Unix milliseconds, as `by`. */
  readonly due: number
  /** When it is on chain at the latest: the relay's word. */
  readonly by: number
  /** When it was taken; none in files of the first versions. */
  readonly at?: number
}

export type WaitingKey = `${Digest}/${Digest}`

export const keyOf = ({ programme, tag }: { readonly programme: Digest; readonly tag: Digest }): WaitingKey => `${programme}/${tag}`

type Line = Waiting | { readonly done: WaitingKey }

/**
 * What a relay has given its word for, line by line, so that a relay that is killed forgets nothing: on disk before the word is given.
 * A last line that a crash tore was never promised, and is cut off.
 */
export class WaitingFile {
  readonly #file: string
  #turn: Promise<void> = Promise.resolve()

  constructor(file: string) {
    this.#file = file
  }

  /** Reads the file and leaves out what is done. @throws ROTA-6514 a whole line that is none, ROTA-1306 the disk */
  async open(): Promise<ReadonlyMap<WaitingKey, Waiting>> {
    const text = (await readIfThere(this.#file))?.toString() ?? ''
    const waiting = new Map<WaitingKey, Waiting>()
    for (const [i, line] of text.split('\n').slice(0, -1).entries()) {
      const read = readLine(line)
      if (read === null) throw new RotaError('ROTA-6514', { file: this.#file, line: i + 1 })
      if ('done' in read) waiting.delete(read.done)
      else waiting.set(keyOf(read.withdrawal), read)
    }
    await writeAtomic(this.#file, textOf([...waiting.values()]))
    return waiting
  }

  /** On disk when it returns. @throws ROTA-1306 */
  add(waiting: Waiting): Promise<void> {
    return this.#append([waiting])
  }

  done(keys: readonly WaitingKey[]): Promise<void> {
    return this.#append(keys.map((done) => ({ done })))
  }

  /** One after the other: two writers of one file would mix their lines. */
  #append(lines: readonly Line[]): Promise<void> {
    const written = this.#turn.then(() => this.#write(textOf(lines)))
    this.#turn = written.catch(() => undefined)
    return written
  }

  async #write(text: string): Promise<void> {
    try {
      const file = await open(this.#file, 'a', 0o600)
      try {
        await file.writeFile(text)
        await file.sync()
      } finally {
        await file.close()
      }
    } catch (cause) {
      throw diskError(this.#file, cause)
    }
  }
}

const textOf = (lines: readonly Line[]): string => lines.map((line) => `${JSON.stringify(line)}\n`).join('')

function readLine(text: string): Line | null {
  try {
    const line = JSON.parse(text) as Partial<Waiting & { done: WaitingKey }>
    if (typeof line.done === 'string') return { done: line.done }
    const withdrawal = readWithdrawal(line.withdrawal)
    const times = Number.isFinite(line.due) && Number.isFinite(line.by)
    if (withdrawal === null || !times) return null
    return { withdrawal, due: line.due as number, by: line.by as number, ...(Number.isFinite(line.at) ? { at: line.at as number } : {}) }
  } catch {
    return null
  }
}
