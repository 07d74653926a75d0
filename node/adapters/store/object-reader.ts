import { toDigest } from '#base/bytes.ts'
import type { Digest } from '#base/ids.ts'
import { merkleRoot } from '#core/commit/merkle.ts'
import { type Outline, outlineFrom, rootOfUnits, unitBytes } from '#core/commit/outline.ts'
import { slicesOf } from '#core/commit/slices.ts'
import type { EpochKey, ObjectRef } from '#ports/model-store.ts'
import { giveBack } from './block-buffers.ts'
import { type CheckedPieces, type SliceKey, sliceKeyOf } from './checked-pieces.ts'
import { MAX_OBJECT_BYTES } from './dag.ts'
import { eachOf } from './each-of.ts'
import { layoutFrom, type ObjectLayout, type Piece } from './object-layout.ts'
import { openPiece, outlineKey, TAG_BYTES } from './sealing.ts'
import { sha256 } from './sha256.ts'
import { type TreeReader, WINDOW } from './tree-reader.ts'
import type { Leaf } from './unixfs-tree.ts'

export type Take = (bytes: Uint8Array, offset: number) => void

interface PieceAt {
  readonly piece: Piece
  readonly leaf: Leaf
}

/** Decrypts one object and checks it against its root, piece by piece. */
export class ObjectReader {
  readonly #tree: TreeReader
  readonly #ref: ObjectRef
  readonly #epochKey: EpochKey
  readonly #checked: CheckedPieces
  readonly #keys = new Map<number, SliceKey>()

  constructor(tree: TreeReader, ref: ObjectRef, epochKey: EpochKey, checked: CheckedPieces) {
    this.#tree = tree
    this.#ref = ref
    this.#epochKey = epochKey
    this.#checked = checked
  }

  /** Whether tree, outline and these slices are on disk; asks nobody. */
  async isHere(slices: readonly number[] | undefined): Promise<boolean> {
    const leaves = await this.#tree.localLeaves()
    if (leaves === null) return false
    const wanted = this.#pieces(leaves, this.#layout(leaves), slices).map(({ leaf }) => leaf)
    for (const leaf of [...leaves.slice(0, 1), ...wanted]) if (!(await this.#tree.isHere(leaf))) return false
    return true
  }

  /** @throws ROTA-4010, ROTA-4015, ROTA-4011 when it is not what the reference names */
  async outline(): Promise<Outline> {
    const leaves = await this.#tree.leaves()
    return this.#outline(leaves, this.#layout(leaves))
  }

  /** @throws as `outline`; `take` has seen nothing wrong until then */
  async read(slices: readonly number[] | undefined, take: Take): Promise<Outline> {
    const leaves = await this.#tree.leaves()
    const layout = this.#layout(leaves)
    const outline = await this.#outline(leaves, layout)
    await eachOf(this.#pieces(leaves, layout, slices), WINDOW, async (at) => {
      const plaintext = await this.#open(at, outline)
      take(plaintext, at.piece.start)
      giveBack(plaintext)
    })
    return outline
  }

  async whole(): Promise<Uint8Array> {
    const bytes = new Uint8Array(this.#layout(await this.#tree.leaves()).lengthBytes)
    await this.read(undefined, (part, offset) => bytes.set(part, offset))
    return bytes
  }

  #layout(leaves: readonly Leaf[]): ObjectLayout {
    const layout = layoutFrom(
      leaves.map(({ sizeBytes }) => sizeBytes),
      this.#ref.slices ?? 1,
    )
    if (layout === null || layout.lengthBytes > MAX_OBJECT_BYTES) throw this.#tree.rejected('its blocks are not those of such an object')
    return layout
  }

  /** A piece of each slice in turn, so that the holders of all of them have work. */
  #pieces(leaves: readonly Leaf[], { pieces, outlineBytes }: ObjectLayout, slices: readonly number[] | undefined): PieceAt[] {
    const first = outlineBytes > 0 ? 1 : 0
    return pieces
      .map((piece, at) => ({ piece, leaf: leaves[first + at] as Leaf }))
      .filter(({ piece }) => slices === undefined || slices.includes(piece.slice))
      .sort((a, b) => a.piece.index - b.piece.index || a.piece.slice - b.piece.slice)
  }

  async #outline([first]: readonly Leaf[], { lengthBytes, outlineBytes }: ObjectLayout): Promise<Outline> {
    const { root, kind } = this.#ref
    if (outlineBytes === 0 || first === undefined) {
      if (lengthBytes === 0 && root !== rootOfUnits([], sha256)) throw this.#tree.rejected('it is empty')
      return { lengthBytes, root, units: lengthBytes === 0 ? [] : [root] }
    }
    const roots = new Uint8Array(outlineBytes - TAG_BYTES)
    const key = outlineKey(this.#epochKey, { kind, lengthBytes, root })
    if (!openPiece(await this.#tree.block(first.cid, false), 0, key, roots) && !openPiece(await this.#tree.block(first.cid, true), 0, key, roots))
      throw this.#tree.rejected('its outline does not open')
    const outline = outlineFrom(lengthBytes, digestsIn(roots), sha256)
    if (outline.root !== root) throw this.#tree.rejected('its outline has another root')
    return outline
  }

  /** In the block's own memory. One that rotted on disk shows first in its tag: then its hash is checked, and it is fetched again. */
  async #open({ piece, leaf }: PieceAt, outline: Outline): Promise<Uint8Array> {
    const key = this.#key(piece.slice, outline)
    for (const checked of [false, true]) {
      const block = await this.#tree.block(leaf.cid, checked, piece.slice)
      const plaintext = block.subarray(0, piece.end - piece.start)
      if (!openPiece(block, piece.index, key.key, plaintext)) {
        giveBack(block)
        continue
      }
      if (!this.#checked.has(leaf.cid, key) && !isAsOutlined(plaintext, piece, outline))
        throw this.#tree.rejected(`the content at byte ${piece.start} has another root`)
      this.#checked.add(leaf.cid, key)
      return plaintext
    }
    throw this.#tree.rejected(`the piece at byte ${piece.start} does not open`)
  }

  #key(slice: number, { units, lengthBytes }: Outline): SliceKey {
    const known = this.#keys.get(slice)
    if (known !== undefined) return known
    const cut = slicesOf(lengthBytes, this.#ref.slices ?? 1)[slice]
    const root = rootOfUnits(units.slice(cut?.firstUnit, cut?.endUnit), sha256)
    const made = sliceKeyOf(this.#epochKey, { kind: this.#ref.kind, lengthBytes: (cut?.end ?? 0) - (cut?.start ?? 0), root })
    this.#keys.set(slice, made)
    return made
  }
}

function isAsOutlined(plaintext: Uint8Array, { start, firstUnit, endUnit }: Piece, { units, lengthBytes }: Outline): boolean {
  const size = unitBytes(lengthBytes)
  for (let unit = firstUnit; unit < endUnit; unit++) {
    const at = unit * size - start
    if (merkleRoot(plaintext.subarray(at, at + size), sha256) !== units[unit]) return false
  }
  return true
}

function digestsIn(roots: Uint8Array): Digest[] {
  return Array.from({ length: roots.length / 32 }, (_, at) => toDigest(roots.subarray(at * 32, (at + 1) * 32)))
}
