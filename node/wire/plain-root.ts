import { concat, type Sha256 } from '#base/bytes.ts'

/**
 * What a store names an object of one piece that is not encrypted, digest of its CID: of its dag-pb node, which links to the bytes as a raw block.
 * @see dag-pb and UnixFS specifications; the names of a file's fields are theirs
 */
export function plainRoot(bytes: Uint8Array, sha256: Sha256): Uint8Array {
  const size = varint(bytes.length)
  const hash = concat(RAW_SHA_256, sha256(bytes))
  // Hash = 1, Name = 2 (empty), Tsize = 3
  const link = concat(Uint8Array.of(0x0a, hash.length), hash, Uint8Array.of(0x12, 0, 0x18), size)
  // Type = 1 (file 2), filesize = 3, blocksizes = 4
  const data = concat(Uint8Array.of(0x08, 2, 0x18), size, Uint8Array.of(0x20), size)
  // Links = 2, Data = 1
  return sha256(concat(Uint8Array.of(0x12, link.length), link, Uint8Array.of(0x0a, data.length), data))
}

/** CIDv1, raw, sha2-256, 32 bytes. */
const RAW_SHA_256 = Uint8Array.of(1, 0x55, 0x12, 0x20)

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return Uint8Array.from([...bytes, rest])
}
