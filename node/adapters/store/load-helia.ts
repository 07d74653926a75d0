import type { BlockBroker, createHeliaLight, Helia, HeliaInit } from 'helia'
import type { BlockFiles } from './block-files.ts'
import { DAG_PB } from './cids.ts'
import type { DagCodec, DagNode } from './unixfs-tree.ts'

/** What the store uses of Helia, once it is loaded (0.2 s). */
export interface Loaded {
  readonly helia: Helia
  readonly codec: DagCodec
}

/** A running Helia on these files. Its only router finds nobody: without one that answers, Helia's `findProviders` throws or never ends. */
export async function loadHelia(files: BlockFiles | undefined, broker: BlockBroker): Promise<Loaded> {
  const helia = await heliaLight({
    ...(files === undefined ? {} : { blockstore: files }),
    blockBrokers: [broker],
    routers: [{ name: 'nobody', async *findProviders() {} }],
  })
  await helia.start()
  const codec = await helia.getCodec<DagNode>(DAG_PB)
  return { helia, codec: { encode: (node) => codec.encode(node), decode: (bytes) => codec.decode(bytes) } }
}

/**
 * Helia without networking of its own. The package's entry file also loads what `createHelia()` would put together (public bootstrap nodes, DHT, UPnP, ACME,
 * delegated routing): 36 MB and 0.4 s that a node needs for nothing, and what is not loaded cannot be switched on. So the class that `createHeliaLight` calls
 * is taken alone, and `createHeliaLight` itself where a later version has moved it.
 */
export async function heliaLight(init: HeliaInit): Promise<Helia> {
  const alone = await loadClass().catch(() => null)
  if (alone !== null) return new alone({ name: 'rota', version: '1', ...init })
  return (await loadPackage())(init)
}

type HeliaClass = new (init: HeliaInit & { readonly name: string; readonly version: string }) => Helia

async function loadClass(): Promise<HeliaClass | null> {
  const module: unknown = await import(new URL('./helia.js', import.meta.resolve('helia')).href)
  const found = typeof module === 'object' && module !== null && 'Helia' in module ? module.Helia : null
  return typeof found === 'function' ? (found as HeliaClass) : null
}

const loadPackage = async (): Promise<typeof createHeliaLight> => (await import('helia')).createHeliaLight
