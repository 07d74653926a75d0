import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { open, stat } from 'node:fs/promises'
import { RotaError } from '#base/errors.ts'
import { diskError, withLock } from './durable-file.ts'

/** How far a log was read: whole entries, and the bytes that they take. */
export interface LogPosition {
  readonly entries: number
  readonly bytes: number
}

export const LOG_START: LogPosition = { entries: 0, bytes: 0 }

const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * A file that only grows, one line per entry, each AES-256-GCM under a key of the vault and bound to its place, so that lines cannot
 * be moved or left out in the middle. A line torn by a crash is not counted. Holds no entry in memory. More than one process may add
 * to it: a running node and the desk's command line.
 */
export class SealedLog<Entry> {
  readonly #file: string
  readonly #key: Uint8Array
  readonly #label: string
  #end = LOG_START

  /** @param label what the entries are bound to beside their place: lines of one file do not open in another */
  constructor(file: string, key: Uint8Array, label: string) {
    this.#file = file
    this.#key = key
    this.#label = label
  }

  /**
   * Entries after a position; from the start again (`anew`) where the file is shorter than that: somebody put an older copy in its place.
   * @throws ROTA-6002 when a whole line does not open
   */
  async after(position: LogPosition): Promise<{ readonly entries: readonly Entry[]; readonly end: LogPosition; readonly anew: boolean }> {
    const onDisk = await sizeOf(this.#file)
    if (onDisk === position.bytes) return { entries: [], end: position, anew: false }
    const anew = onDisk < position.bytes
    const from = anew ? LOG_START : position
    const text = await this.#readText(from.bytes, onDisk)
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    const entries = whole
      .split('\n')
      .slice(0, -1)
      .map((line, i) => this.#open(line, from.entries + i))
    return { entries, end: { entries: from.entries + entries.length, bytes: from.bytes + whole.length }, anew }
  }

  /** On disk when it returns. @throws ROTA-1306 when the disk refuses: then nothing of it was recorded */
  async append(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return
    await withLock(this.#file, async () => {
      this.#end = (await this.after(this.#end)).end
      const { entries: place, bytes } = this.#end
      const lines = entries.map((entry, i) => `${this.#seal(entry, place + i)}\n`).join('')
      await this.#write(bytes, lines)
      this.#end = { entries: place + entries.length, bytes: bytes + lines.length }
    })
  }

  /** What a crash left after the last whole line is cut off. */
  async #write(at: number, lines: string): Promise<void> {
    const handle = await open(this.#file, 'a', 0o600).catch((cause) => {
      throw diskError(this.#file, cause)
    })
    try {
      await handle.truncate(at)
      await handle.appendFile(lines)
      await handle.sync()
    } catch (cause) {
      await handle.truncate(at).catch(() => undefined)
      throw diskError(this.#file, cause)
    } finally {
      await handle.close()
    }
  }

  async #readText(from: number, to: number): Promise<string> {
    if (from === to) return ''
    const handle = await open(this.#file, 'r')
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(to - from), 0, to - from, from)
      return buffer.subarray(0, bytesRead).toString('latin1')
    } finally {
      await handle.close()
    }
  }

  #seal(entry: Entry, place: number): string {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(`${this.#label}/${place}`))
    return Buffer.concat([nonce, cipher.update(JSON.stringify(entry), 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64')
  }

  #open(line: string, place: number): Entry {
    try {
      const sealed = Buffer.from(line, 'base64')
      const decipher = createDecipheriv('aes-256-gcm', this.#key, sealed.subarray(0, NONCE_BYTES)).setAAD(Buffer.from(`${this.#label}/${place}`))
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
      const text = Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8')
      return JSON.parse(text) as Entry
    } catch {
      throw new RotaError('ROTA-6002', { file: this.#file, entry: place + 1 })
    }
  }
}

const sizeOf = (file: string): Promise<number> =>
  stat(file).then(
    (s) => s.size,
    () => 0,
  )
