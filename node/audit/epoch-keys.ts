import { concat, fromHex, utf8 } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import type { ChainReader } from '#ports/chain.ts'
import { decodeEpochBundle, type EpochBundle } from '#wire/epoch-bundle.ts'
import type { BlockSource } from './block-source.ts'
import { digestOf } from './digest.ts'
import { openSecret, type ReaderKey } from './reader-key.ts'
import type { EventOf, StudyLog } from './run-log.ts'
import { type DamagedBlock, readStored } from './unixfs-object.ts'

/** The key of an epoch, or why there is none. `reader: false`: its bundle has no wrap for this reader. */
export interface KeyFinding {
  readonly key: Uint8Array | null
  readonly reader: boolean
  readonly why: string
  readonly damaged: readonly DamagedBlock[]
  /** The bundle is not what the chain commits to. */
  readonly wrong: boolean
}

/** What a later epoch's bundle gives as the key of an earlier one. */
interface Carried {
  readonly key: Uint8Array
  readonly by: number
}

/** Unwraps the keys of epochs with the reader's key alone, and holds each against its commitment on chain. */
export class EpochKeys {
  readonly #chain: Pick<ChainReader, 'chainId' | 'genesis'>
  readonly #sources: readonly BlockSource[]
  readonly #reader: ReaderKey
  readonly #known = new Map<string, Promise<KeyFinding>>()

  constructor(chain: Pick<ChainReader, 'chainId' | 'genesis'>, sources: readonly BlockSource[], reader: ReaderKey) {
    this.#chain = chain
    this.#sources = sources
    this.#reader = reader
  }

  of(study: StudyLog, epoch: number): Promise<KeyFinding> {
    const name = `${study.study} ${epoch}`
    const found = this.#known.get(name) ?? this.#find(study, epoch)
    this.#known.set(name, found)
    return found
  }

  async #find(study: StudyLog, epoch: number): Promise<KeyFinding> {
    const record = study.epochs.get(epoch)
    if (record === undefined) return none(`epoch ${epoch} of study ${study.study} was never published`)
    const stored = await readStored(this.#sources, record.bundle)
    const { damaged } = stored
    if (stored.bytes === null || stored.missing.length > 0)
      return { ...none(`the bundle of epoch ${epoch} (CID ${record.bundle}) is not in the store`), damaged }
    const bundle = decoded(stored.bytes)
    const own = bundle && this.#reader.unwrap(bundle.wraps, this.#context(study, epoch))
    const carried = own === null ? await this.#fromLater(study, epoch) : null
    const key = own ?? carried?.key ?? null
    // What a damaged bundle lacks is the store's fault, and neither its maker's nor the reader's.
    if (key === null && damaged.some((block) => !block.mended)) return { ...none(`the bundle of epoch ${epoch} is damaged`), damaged }
    if (bundle === null) return { ...none(`the bundle of epoch ${epoch} is no epoch bundle`), damaged, wrong: true }
    if (key === null) return { ...none(`the key of epoch ${epoch} of study ${study.study} is not wrapped to this reader`), reader: false, damaged }
    if (commitmentTo(key) !== record.commitment) {
      const which = `the key of epoch ${epoch}${carried === null ? '' : `, as the bundle of epoch ${carried.by} hands it on,`}`
      return { ...none(`${which} does not match its commitment on chain`), damaged, wrong: true }
    }
    return { key, reader: true, why: '', damaged, wrong: false }
  }

  /**
   * Each bundle carries the key of the epoch before under its own; that of an earlier one, where the one before was in nobody's reach; and what that one
   * does not lead to. What is no epoch's key is its own drawer's doing: another bundle may carry the key itself.
   */
  async #fromLater(study: StudyLog, epoch: number): Promise<Carried | null> {
    let junk: Carried | null = null
    for (let later = epoch + 1; study.epochs.has(later); later++) {
      const { before, others } = await this.#carriedBy(study, later, epoch)
      const keys = before === null ? others : [...others, before]
      const key = keys.find((each) => commitmentTo(each) === study.epochs.get(epoch)?.commitment)
      if (key !== undefined) return { key, by: later }
      const strange = keys.find((each) => ![...study.epochs.values()].some(({ commitment }) => commitment === commitmentTo(each)))
      if (strange !== undefined) junk ??= { key: strange, by: later }
    }
    return junk
  }

  /** What the bundle of `later` gives as the key before, and as that of the epoch looked for. */
  async #carriedBy(study: StudyLog, later: number, epoch: number): Promise<{ readonly before: Uint8Array | null; readonly others: readonly Uint8Array[] }> {
    const next: EventOf<'EpochPublished'> | undefined = study.epochs.get(later)
    const { key } = next ? await this.of(study, later) : { key: null }
    const { bytes } = next && key !== null ? await readStored(this.#sources, next.bundle) : { bytes: null }
    const bundle = bytes && decoded(bytes)
    if (!bundle || key === null) return { before: null, others: [] }
    return {
      before: bundle.previous && openSecret(bundle.previous, key),
      others: bundle.earlier.flatMap((entry) => (entry.epoch === epoch ? (openSecret(entry.sealed, key) ?? []) : [])),
    }
  }

  /** Binds a wrap to its chain, study and epoch. */
  #context(study: StudyLog, epoch: number): Uint8Array {
    return concat(utf8('rota epoch bundle'), fromHex(this.#chain.genesis), utf8(` ${this.#chain.chainId} ${study.study} ${epoch}`))
  }
}

const none = (why: string): KeyFinding => ({ key: null, reader: true, why, damaged: [], wrong: false })

const commitmentTo = (key: Uint8Array) => digestOf(utf8('rota epoch key'), key)

function decoded(bytes: Uint8Array): EpochBundle | null {
  try {
    return decodeEpochBundle(bytes)
  } catch (error) {
    if (isRotaError(error)) return null
    throw error
  }
}
