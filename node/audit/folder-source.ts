import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fromHex } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import type { BlockSource } from './block-source.ts'

/**
 * Reads the block files of a node's store, or of a copy of it, without opening the store:
 * `NN/BCIQ….data`, named by the multihash in multibase base32 (B), in folders by the name's last two letters.
 * `dir` may be the folder of the blocks or a site's folder, which holds it.
 * @throws ROTA-6402 when there is no such folder
 */
export async function openFolder(dir: string): Promise<BlockSource> {
  const isFolder = (path: string) =>
    stat(path).then(
      (s) => s.isDirectory(),
      () => false,
    )
  if (!(await isFolder(dir))) throw new RotaError('ROTA-6402', { dir })
  // The folders of a site's folder, where they are: a block is then looked for in one place, not in three.
  const inside: string[] = []
  for (const folder of [join(dir, 'blocks'), join(dir, 'state', 'blocks')]) if (await isFolder(folder)) inside.push(folder)
  const roots = inside.length > 0 ? [...inside, dir] : [dir]
  return {
    name: dir,
    async block(digest) {
      for (const root of roots) {
        const bytes = await readFile(join(root, blockFile(digest))).catch(absent)
        if (bytes !== null) return bytes
      }
      return null
    },
  }
}

/** A block's file under the blocks folder. Multihash: 0x12 (SHA-256), 0x20 (32 bytes), digest. */
export function blockFile(digest: Digest): string {
  const name = `B${base32(Uint8Array.of(0x12, 0x20, ...fromHex(digest)))}`
  return join(name.slice(-2), `${name}.data`)
}

/** RFC 4648 without padding, upper case. */
function base32(bytes: Uint8Array): string {
  let bits = ''
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0')
  return (bits.match(/.{1,5}/g) ?? []).map((five) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(five.padEnd(5, '0'), 2)]).join('')
}

function absent(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null
  throw error
}
