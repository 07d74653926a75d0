import type { Digest } from '#base/ids.ts'
import { digestOf } from './digest.ts'

/** Where an auditor finds blocks: a folder of a node's store, or a node's HTTP endpoint. Nothing that it gives is trusted. */
export interface BlockSource {
  /** For reports: the folder, or the URL. */
  readonly name: string
  /** The bytes kept under this SHA-256 digest, whatever they hash to; null when there are none. */
  block(digest: Digest): Promise<Uint8Array | null>
}

/** A block that was found, and whether any source had it with the right hash. */
export interface FoundBlock {
  readonly bytes: Uint8Array
  readonly sound: boolean
  /** Sources whose copy does not hash to the digest. */
  readonly damagedAt: readonly string[]
}

/** Asks one source after another until a copy hashes to its digest; else the first damaged copy, so that it can be looked into. */
export async function findBlock(sources: readonly BlockSource[], digest: Digest): Promise<FoundBlock | null> {
  const damagedAt: string[] = []
  let damaged: Uint8Array | null = null
  for (const source of sources) {
    const bytes = await source.block(digest)
    if (bytes === null) continue
    if (digestOf(bytes) === digest) return { bytes, sound: true, damagedAt }
    damagedAt.push(source.name)
    damaged ??= bytes
  }
  return damaged && { bytes: damaged, sound: false, damagedAt }
}
