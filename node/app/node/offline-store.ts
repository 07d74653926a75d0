import type { BlockNetwork } from '#adapters/store/block-network.ts'
import { startModelStore } from '#adapters/store/helia-model-store.ts'
import { RotaError } from '#base/errors.ts'
import type { Log } from '#ports/host.ts'
import type { ModelStore } from '#ports/model-store.ts'

/** The site's own blocks, for a command that runs beside the node: what it puts there, the node serves. */
export const openOfflineStore = (dir: string): Promise<ModelStore> => startModelStore({ dir, network: offline, log: quiet })

/** For a store that asks nobody and serves nobody. */
export const offline: BlockNetwork = {
  connected: () => [],
  serve: async () => undefined,
  unserve: async () => undefined,
  open: async (site) => {
    throw new RotaError('ROTA-4005', { site })
  },
}

const quiet: Log = { info() {}, warn() {}, error() {}, debug() {} }
