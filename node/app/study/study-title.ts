import type { SitePaths } from '#app/site/site-paths.ts'
import { openFolder } from '#audit/folder-source.ts'
import { readStored } from '#audit/unixfs-object.ts'
import type { StudyRecord } from '#ports/chain.ts'
import { decodeProtocol } from '#wire/protocol.ts'

/**
 * A study's title from the block files as they lie on this disk, without opening the store (0.2 s): for commands that only list.
 * Null while the protocol is not here, or cannot be read; `protocolOf` says why.
 */
export async function titleOf({ blocks }: Pick<SitePaths, 'blocks'>, { protocolCid }: Pick<StudyRecord, 'protocolCid'>): Promise<string | null> {
  try {
    const { bytes } = await readStored([await openFolder(blocks)], protocolCid)
    return bytes === null ? null : decodeProtocol(bytes).title
  } catch {
    return null
  }
}
