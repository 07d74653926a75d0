import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { diskError } from '#adapters/journal/atomic-file.ts'
import type { BlockNetwork } from '#adapters/store/block-network.ts'
import { startModelStore } from '#adapters/store/helia-model-store.ts'
import type { ModelStore } from '#ports/model-store.ts'
import { quiet } from './dial-out.ts'

/** An empty store on the disk of the node's own, for the length of a measurement. @throws ROTA-1306 when the disk refuses */
export async function withScratchStore<T>(state: string, network: BlockNetwork, work: (store: ModelStore, dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(state, 'scratch-')).catch((cause) => {
    throw diskError(state, cause)
  })
  try {
    const store = await startModelStore({ dir, network, log: quiet })
    try {
      return await work(store, dir)
    } finally {
      await store.stop()
    }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}
