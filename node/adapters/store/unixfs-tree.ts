import type { AddOptions, UnixFSComponents, unixfs } from '@helia/unixfs'
import type { CID } from 'multiformats/cid'

/** With the library's chunks of 1 MiB, 1,024 links a node, raw leaves and CIDv1; a golden CID in the tests holds all five still. */
export const ADD: Partial<AddOptions> = { cidVersion: 1, rawLeaves: true, reduceSingleLeafToSelf: false }

export interface Block {
  readonly cid: CID
  readonly bytes: Uint8Array
}

/** The blocks of `bytes`, children before parents, the root last; nothing is stored. */
export async function blocksOf(bytes: Uint8Array, makeUnixfs: typeof unixfs): Promise<Block[]> {
  const blocks: Block[] = []
  const collect = {
    async put(cid: CID, block: Uint8Array): Promise<CID> {
      blocks.push({ cid, bytes: block })
      return cid
    },
  }
  await makeUnixfs({ blockstore: collect as UnixFSComponents['blockstore'] }).addBytes(bytes, ADD)
  return blocks
}
