import type { CID } from 'multiformats/cid'
import { fromHex } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import type { Outline } from '#core/commit/outline.ts'
import type { EpochKey, ObjectKind, SealedSlice } from '#ports/model-store.ts'
import { blockBuffer, giveBack } from './block-buffers.ts'
import type { PutOptions } from './block-files.ts'
import { type CheckedPieces, type SliceKey, sliceKeyOf } from './checked-pieces.ts'
import { digestOf, leafCid } from './cids.ts'
import { MAX_OBJECT_BYTES } from './dag.ts'
import { blockSizes, layoutOf, type ObjectLayout } from './object-layout.ts'
import { outlineKey, PIECE_BYTES, type Sealed, sealPiece, TAG_BYTES } from './sealing.ts'
import { type Block, type DagCodec, leafOf, treeOver } from './unixfs-tree.ts'

/** Keeps a block on this site's disk. */
export type PutBlock = (cid: CID, bytes: Uint8Array, options: PutOptions) => CID | Promise<CID>

/** Encrypts slices and makes objects of them. */
export class ObjectWriter {
  readonly #put: PutBlock
  readonly #codec: DagCodec
  readonly #checked: CheckedPieces

  constructor(put: PutBlock, codec: DagCodec, checked: CheckedPieces) {
    this.#put = put
    this.#codec = codec
    this.#checked = checked
  }

  /** @throws ROTA-4013, ROTA-4014, or the signal's reason */
  async slice(plaintext: Uint8Array, root: Digest, kind: ObjectKind, epochKey: EpochKey, signal: AbortSignal): Promise<SealedSlice> {
    checkSize(plaintext.length)
    const key = sliceKeyOf(epochKey, { kind, lengthBytes: plaintext.length, root })
    const pieces: Digest[] = []
    for (let at = 0; at < plaintext.length; at += PIECE_BYTES) {
      signal.throwIfAborted()
      pieces.push(await this.#piece(plaintext.subarray(at, at + PIECE_BYTES), pieces.length, key, kind === 'update'))
    }
    return { pieces }
  }

  /** The tree over slices that are here or elsewhere. @throws ROTA-4013, ROTA-4014, ROTA-4016 when a slice has another number of pieces */
  async join(slices: readonly SealedSlice[], { lengthBytes, root, units }: Outline, kind: ObjectKind, epochKey: EpochKey): Promise<Digest> {
    checkSize(lengthBytes)
    const whole: Sealed = { kind, lengthBytes, root }
    const layout = layoutOf(lengthBytes, slices.length)
    checkPieces(slices, layout)
    const blocks = slices.flatMap(({ pieces }) => pieces.map(leafCid))
    // Nobody puts a slice of nothing: its one piece is made here.
    if (lengthBytes === 0) blocks.push(leafCid(await this.#piece(new Uint8Array(0), 0, sliceKeyOf(epochKey, whole), true)))
    if (layout.outlineBytes > 0) {
      const sealed = new Uint8Array(layout.outlineBytes)
      sealPiece(Buffer.concat(units.map(fromHex)), 0, outlineKey(epochKey, whole), sealed)
      blocks.unshift(await this.#leaf(sealed))
    }
    const sizes = blockSizes(layout)
    return this.#nodes(
      treeOver(
        blocks.map((cid, at) => ({ cid, sizeBytes: sizes[at] as number })),
        this.#codec,
      ),
    )
  }

  /** An object that is not encrypted. */
  async plain(bytes: Uint8Array, signal: AbortSignal): Promise<Digest> {
    checkSize(bytes.length)
    const leaves = []
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      signal.throwIfAborted()
      const block = bytes.subarray(at, at + PIECE_BYTES)
      leaves.push({ cid: await this.#leaf(block), sizeBytes: block.length })
    }
    return this.#nodes(treeOver(leaves, this.#codec))
  }

  async #piece(plaintext: Uint8Array, index: number, key: SliceKey, readSoon: boolean): Promise<Digest> {
    const sealed = blockBuffer(plaintext.length + TAG_BYTES)
    sealPiece(plaintext, index, key.key, sealed)
    const cid = await this.#leaf(sealed, readSoon)
    giveBack(sealed)
    this.#checked.add(cid, key)
    return digestOf(cid)
  }

  async #leaf(bytes: Uint8Array, readSoon = true): Promise<CID> {
    const { cid } = leafOf(bytes)
    await this.#put(cid, bytes, { readSoon })
    return cid
  }

  async #nodes(nodes: readonly Block[]): Promise<Digest> {
    for (const { cid, bytes } of nodes) await this.#put(cid, bytes, { readSoon: true })
    return digestOf((nodes.at(-1) as Block).cid)
  }
}

function checkSize(size: number): void {
  if (size > MAX_OBJECT_BYTES) throw new RotaError('ROTA-4014', { size, limit: MAX_OBJECT_BYTES })
}

function checkPieces(slices: readonly SealedSlice[], layout: ObjectLayout): void {
  slices.forEach(({ pieces }, slice) => {
    const wanted = layout.lengthBytes === 0 ? 0 : layout.pieces.filter((piece) => piece.slice === slice).length
    if (pieces.length !== wanted) throw new RotaError('ROTA-4016', { slice, count: pieces.length, pieces: wanted })
  })
}
