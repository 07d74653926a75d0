import type { Digest, SiteId } from '#base/ids.ts'
import type { ObjectKind } from '#ports/model-store.ts'
import type { BlockSource } from './block-source.ts'
import { rootOf } from './merkle-tree.ts'
import { openSealed } from './sealed-object.ts'
import { plainLength, slicesFor } from './sealed-parts.ts'
import { type DamagedBlock, readStored } from './unixfs-object.ts'

/** An encrypted object as the chain names it. */
export interface NamedObject {
  readonly kind: ObjectKind
  readonly cid: Digest
  /** Merkle root of the plaintext. */
  readonly root: Digest
  /** The site that made it. */
  readonly site: SiteId | null
  /** Into how many slices a vector that does not fit into a message is cut; 1 when not given, and for what is no vector. */
  readonly slices?: number
}

/** What the stores hold under that name. */
export interface Finding {
  readonly object: NamedObject
  /** Plaintext with the root that the chain names; null when there is none. */
  readonly bytes: Uint8Array | null
  /** Decrypted without trusting any tag, and not what the chain names: only good for saying where it differs. */
  readonly untrusted: Uint8Array | null
  readonly damaged: readonly DamagedBlock[]
  /** What the chain names under this CID is something else: whoever committed to it made it so. */
  readonly wrong: string | null
}

/** Fetches by CID, decrypts with the round's epoch key, and checks the plaintext against the root on chain. */
export async function findObject(sources: readonly BlockSource[], object: NamedObject, epochKey: Uint8Array): Promise<Finding> {
  const stored = await readStored(sources, object.cid)
  const { damaged } = stored
  const nothing = { object, bytes: null, untrusted: null, damaged, wrong: null }
  if (stored.malformed) return { ...nothing, wrong: 'its blocks form no file' }
  if (stored.bytes === null || stored.missing.length > 0) return nothing
  const { kind, root } = object
  const slices = slicesFor(plainLength(stored.leafSizes), object.slices ?? 1)
  const opened = openSealed(stored.bytes, stored, { epochKey, kind, root, slices })
  const untrusted = opened?.plaintext ?? null
  if (damaged.some((block) => !block.mended)) return { ...nothing, untrusted }
  if (opened === null) return { ...nothing, wrong: `no sealed object in ${slices === 1 ? 'one slice' : `${slices} slices`} has such blocks` }
  if (!opened.fits || untrusted === null) return { ...nothing, untrusted, wrong: "it does not open with the round's key and the root on chain" }
  if (rootOf(untrusted) !== root) return { ...nothing, untrusted, wrong: 'its content has another root than the one on chain' }
  return { ...nothing, bytes: untrusted }
}
