import { readdir, readFile, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { NextToLast } from 'blockstore-fs/sharding'
import { toDigest } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import { digestOf, rootCid } from './cids.ts'

/**
 * Deletes blocks that belong to no object that the chain names: what a crash between two blocks has left, what was put and never
 * committed to, publications that were thrown out. Younger ones stay: what is being made now is on the chain in a moment.
 * @param dir folder of the blocks
 * @param named CIDs of objects that stay; of these only what is reachable from their root blocks stays
 * @param beforeMs a block that was last written at or after this time (Unix milliseconds) stays
 * @returns how many blocks were deleted
 * @throws ROTA-4013 when the folder cannot be read
 */
export async function dropOrphans(dir: string, named: Iterable<Digest>, beforeMs: number): Promise<number> {
  const live = await reachable(dir, named)
  let dropped = 0
  for (const { path, block } of await blocksIn(dir)) {
    if (live.has(block) || !(await isOlder(path, beforeMs))) continue
    await unlink(path).then(
      () => dropped++,
      () => undefined,
    )
  }
  return dropped
}

/** A store's trees have two levels of nodes at most; one more does no harm. */
const DEEPEST = 3

async function reachable(dir: string, roots: Iterable<Digest>): Promise<ReadonlySet<Digest>> {
  const live = new Set<Digest>(roots)
  let level = [...live]
  for (let depth = 0; depth < DEEPEST && level.length > 0; depth++) {
    const below: Digest[] = []
    for (const node of level) {
      const bytes = await readFile(pathOf(dir, node)).catch(() => null)
      if (bytes === null) continue
      for (const { block, isNode } of linksIn(bytes)) {
        if (live.has(block)) continue
        live.add(block)
        if (isNode) below.push(block)
      }
    }
    level = below
  }
  return live
}

/**
 * What a node of a tree may link to: each place with the bytes of a CIDv1's SHA-256 multihash. Read so, whatever the tree looks
 * like; bytes that only look like a link keep one block too many.
 */
function* linksIn(node: Uint8Array): Generator<{ readonly block: Digest; readonly isNode: boolean }> {
  for (let at = 2; at + 34 <= node.length; at++) {
    if (node[at] !== 0x12 || node[at + 1] !== 0x20 || node[at - 2] !== 0x01) continue
    yield { block: toDigest(node.subarray(at + 2, at + 34)), isNode: node[at - 1] === 0x70 }
  }
}

async function blocksIn(dir: string): Promise<{ readonly path: string; readonly block: Digest }[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch((cause) => {
    throw new RotaError('ROTA-4013', { dir }, cause)
  })
  return entries.flatMap((entry) => {
    const block = entry.isFile() && entry.name.endsWith('.data') ? blockOf(entry.name) : null
    return block === null ? [] : [{ path: join(entry.parentPath, entry.name), block }]
  })
}

/** A file that is no block is none of the store's business. */
function blockOf(name: string): Digest | null {
  try {
    return digestOf(SHARDS.decode(name))
  } catch {
    return null
  }
}

const isOlder = (path: string, beforeMs: number): Promise<boolean> =>
  stat(path).then(
    ({ mtimeMs }) => mtimeMs < beforeMs,
    () => false,
  )

function pathOf(dir: string, block: Digest): string {
  const { dir: shard, file } = SHARDS.encode(rootCid(block))
  return join(dir, shard, file)
}

/** Where blockstore-fs puts a block: by its multihash alone. */
const SHARDS = new NextToLast()
