import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { diskError } from '#adapters/journal/atomic-file.ts'
import type { BlockNetwork } from '#adapters/store/block-network.ts'
import { startModelStore } from '#adapters/store/helia-model-store.ts'
import type { ModelStore } from '#ports/model-store.ts'
import { quiet } from './dial-out.ts'

const [SCRATCH, ROUND] = ['scratch-', 'canary-round-'] as const

export interface ScratchStore {
  readonly store: ModelStore
  readonly dir: string
  /** Deletes it and all that is in it. */
  close(): Promise<void>
}

/** An empty store on the disk of the node's own, for a canary's round. @throws ROTA-1306 when the disk refuses */
export const openRoundStore = (state: string, network: BlockNetwork): Promise<ScratchStore> => openScratchStore(join(state, ROUND), state, network)

/** Deletes what a killed process has left of rounds. Only for who holds the folder's lock. */
export async function dropRoundStores(state: string): Promise<void> {
  for (const name of await readdir(state).catch(() => [])) if (name.startsWith(ROUND)) await rm(join(state, name), { recursive: true, force: true })
}

async function openScratchStore(path: string, state: string, network: BlockNetwork): Promise<ScratchStore> {
  const dir = await mkdtemp(path).catch((cause) => {
    throw diskError(state, cause)
  })
  const remove = () => rm(dir, { recursive: true, force: true })
  try {
    const store = await startModelStore({ dir, network, log: quiet })
    return {
      store,
      dir,
      async close() {
        await store.stop().finally(remove)
      },
    }
  } catch (error) {
    await remove()
    throw error
  }
}

/** For the length of a measurement. @throws ROTA-1306 when the disk refuses */
export async function withScratchStore<T>(state: string, network: BlockNetwork, work: (store: ModelStore, dir: string) => Promise<T>): Promise<T> {
  const { store, dir, close } = await openScratchStore(join(state, SCRATCH), state, network)
  try {
    return await work(store, dir)
  } finally {
    await close()
  }
}
