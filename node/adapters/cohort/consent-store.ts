import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { open, readFile, stat } from 'node:fs/promises'
import { fromHex } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Address, Digest } from '#base/ids.ts'
import type { Vault } from '#ports/vault.ts'
import { diskError, withLock } from './durable-file.ts'

/** A patient is a keyed digest here: the file alone names nobody, even opened. */
export type ConsentEntry =
  | {
      readonly kind: 'granted'
      readonly patient: Digest
      readonly programme: string
      readonly tag: Digest
      readonly oneTimeAddress: Address
      readonly at: string
    }
  | { readonly kind: 'withdrawn'; readonly patient: Digest; readonly programme: string; readonly tag: Digest | null; readonly at: string }

/** How a patient stands under a programme now: the last entry decides. */
export interface Standing {
  readonly state: 'granted' | 'withdrawn'
  /** Null for a patient who objected under opt-out without ever having a receipt. */
  readonly tag: Digest | null
}

const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * The site's record of consents: a file that only grows, one line per entry, each AES-256-GCM under a key of the vault and
 * bound to its place, so that lines cannot be moved or left out in the middle. A line torn by a crash is not counted.
 * Read again when another process (the desk's command line) has added to it.
 */
export class ConsentStore {
  readonly #file: string
  readonly #key: Uint8Array
  #sizeBytes = -1
  #entries: ConsentEntry[] = []

  constructor(file: string, vault: Pick<Vault, 'keyedDigest'>) {
    this.#file = file
    this.#key = fromHex(vault.keyedDigest('consent-store'))
  }

  /**
   * @param until only entries made up to this time (ISO), to see how it stood then
   * @throws ROTA-6002 when a whole line does not open: then nobody counts as consenting
   */
  async standings(programme: string, until?: string): Promise<ReadonlyMap<Digest, Standing>> {
    await this.#refresh()
    const standings = new Map<Digest, Standing>()
    for (const entry of this.#entries) {
      if (entry.programme === programme && (until === undefined || entry.at <= until)) standings.set(entry.patient, { state: entry.kind, tag: entry.tag })
    }
    return standings
  }

  /** When entries were made, oldest first, each time once. */
  async times(programme: string): Promise<readonly string[]> {
    await this.#refresh()
    return [...new Set(this.#entries.filter((entry) => entry.programme === programme).map((entry) => entry.at))].sort()
  }

  async programmes(): Promise<readonly string[]> {
    await this.#refresh()
    return [...new Set(this.#entries.map((entry) => entry.programme))]
  }

  /** On disk when it returns. @throws ROTA-1306 when the disk refuses: then nothing of it was recorded */
  async append(entries: readonly ConsentEntry[]): Promise<void> {
    if (entries.length === 0) return
    await withLock(this.#file, async () => {
      await this.#refresh()
      const lines = entries.map((entry, i) => `${this.#seal(entry, this.#entries.length + i)}\n`).join('')
      const handle = await open(this.#file, 'a', 0o600).catch((cause) => {
        throw diskError(this.#file, cause)
      })
      try {
        await handle.truncate(this.#sizeBytes)
        await handle.appendFile(lines)
        await handle.sync()
      } catch (cause) {
        await handle.truncate(this.#sizeBytes).catch(() => undefined)
        throw diskError(this.#file, cause)
      } finally {
        await handle.close()
      }
      await this.#refresh()
    })
  }

  async #refresh(): Promise<void> {
    const onDisk = await stat(this.#file).then(
      (s) => s.size,
      () => 0,
    )
    if (onDisk === this.#sizeBytes) return
    const text = onDisk === 0 ? '' : await readFile(this.#file, 'latin1')
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    const lines = whole.split('\n').slice(0, -1)
    // Lines that were opened before and are still there are not opened again.
    const known = whole.length >= this.#sizeBytes && this.#sizeBytes > 0 ? this.#entries : []
    this.#entries = [...known, ...lines.slice(known.length).map((line, i) => this.#open(line, known.length + i))]
    this.#sizeBytes = whole.length
  }

  #seal(entry: ConsentEntry, place: number): string {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(`consent/${place}`))
    return Buffer.concat([nonce, cipher.update(JSON.stringify(entry), 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64')
  }

  #open(line: string, place: number): ConsentEntry {
    try {
      const sealed = Buffer.from(line, 'base64')
      const decipher = createDecipheriv('aes-256-gcm', this.#key, sealed.subarray(0, NONCE_BYTES)).setAAD(Buffer.from(`consent/${place}`))
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
      const text = Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8')
      return JSON.parse(text) as ConsentEntry
    } catch {
      throw new RotaError('ROTA-6002', { file: this.#file, entry: place + 1 })
    }
  }
}
