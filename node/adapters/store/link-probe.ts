import { createHash } from 'node:crypto'
import { RotaError } from '#base/errors.ts'
import type { Digest, SiteId } from '#base/ids.ts'
import type { ModelStore } from '#ports/model-store.ts'
import { BlockClient } from './block-client.ts'
import type { BlockNetwork } from './block-network.ts'
import { digestOf, leafCid } from './cids.ts'

const AT_ONCE = 4
const NO_PROGRESS_MS = 15_000

/** A block of chance on this site's disk that members may fetch to see how fast the way between them is. */
export interface Probe {
  readonly digest: Digest
  readonly bytes: number
  drop(): Promise<void>
}

/** @param bytes random, at most one block (1 MiB) */
export async function offerProbe(store: Pick<ModelStore, 'putPlain' | 'drop'>, bytes: Uint8Array, signal: AbortSignal): Promise<Probe> {
  const cid = await store.putPlain(bytes, signal)
  return { digest: sha256Of(bytes), bytes: bytes.length, drop: () => store.drop(cid) }
}

/**
 * Fetches a member's probe so many times over /rota/block/1, as rounds fetch updates, and throws it away: nothing is written, and the disk is no part of it.
 * @returns milliseconds @throws ROTA-4005, 4006, 4007 by the site; ROTA-4015 when what came is not the probe
 */
export async function pullProbe(network: BlockNetwork, site: SiteId, probe: Omit<Probe, 'drop'>, times: number, signal: AbortSignal): Promise<number> {
  const client = new BlockClient({ network, traffic: { bytesIn: 0, bytesOut: 0 }, noProgressMs: NO_PROGRESS_MS })
  const cid = leafCid(probe.digest)
  let left = times
  const pull = async (): Promise<void> => {
    while (left-- > 0) {
      const block = await client.fetch(site, cid, false, signal)
      if (block === null || block.length !== probe.bytes || sha256Of(block) !== digestOf(cid)) throw new RotaError('ROTA-4015', { site, cid: probe.digest })
    }
  }
  try {
    const startedMs = performance.now()
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, times) }, pull))
    return performance.now() - startedMs
  } finally {
    await client.stop()
  }
}

const sha256Of = (bytes: Uint8Array): Digest => `0x${createHash('sha256').update(bytes).digest('hex')}` as Digest
