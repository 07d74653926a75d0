import { keccak256 } from 'ethers/crypto'
import { concat, fromHex } from '#base/bytes.ts'
import { type Digest, digest, type SiteId } from '#base/ids.ts'

/** keccak256(abi.encode(accumulator, site as uint256, root)): a chain over the updates in order of arrival. */
export function accumulate(accumulator: Digest, site: SiteId, root: Digest): Digest {
  const word = new Uint8Array(32)
  new DataView(word.buffer).setUint32(28, site)
  return digest(keccak256(concat(fromHex(accumulator), word, fromHex(root))))
}
