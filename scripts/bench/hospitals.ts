import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DevChain, type DevChainOptions, startAnvil } from '#adapters/devchain/anvil.ts'
import { createNetwork, joinNetwork } from '#app/chain/network.ts'
import { openOfflineStore } from '#app/node/offline-store.ts'
import { initSite } from '#app/site/init-site.ts'
import { sitePaths } from '#app/site/site-folder.ts'
import { approveStudy, publishStudy, startRun } from '#app/study/studies.ts'
import type { RunId } from '#base/ids.ts'
import type { SplitTable } from '#core/model/table.ts'
import { encodeProtocol } from '#wire/protocol.ts'
import { type NodeProcess, startNodeProcess } from './node-process.ts'
import type { BenchStudy } from './studies.ts'

/** A study published and approved by hospitals with folders of their own; no node runs yet. */
export interface BenchNetwork {
  readonly chain: DevChain
  readonly contracts: string
  /** A folder for each site; the nodes that were started keep theirs. */
  readonly folders: readonly string[]
  startNodes(options?: { readonly noise?: boolean; readonly profiles?: string | undefined }): Promise<readonly NodeProcess[]>
  /** Waits for the members' key, which the nodes draw. */
  openRun(): Promise<RunId>
  /** Ends every process and deletes the folders. */
  stop(): Promise<void>
}

const never = new AbortController().signal

export async function makeNetwork({ protocol, sites }: BenchStudy, chainOptions: DevChainOptions = {}): Promise<BenchNetwork> {
  const dir = await mkdtemp(join(tmpdir(), 'rota-bench-'))
  const chain = await startAnvil(chainOptions)
  const nodes: NodeProcess[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.end()))
    await chain.stop()
    await rm(dir, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    const password = { file: join(dir, 'password') }
    await writeFile(password.file, 'a benchmark has no secrets\n', { mode: 0o600 })
    const folders = sites.map((_, i) => join(dir, `site-${i}`))
    for (const [i, { name, rows }] of sites.entries()) {
      const data = join(dir, `rows-${i}.csv`)
      await writeFile(data, csvOf(rows, protocol.label.name))
      const where = { folder: folders[i] as string, name, chain: chain.url, data, mapping: undefined, listen: undefined }
      await initSite({ ...where, announce: [], webPort: undefined, password, stewardPassword: undefined })
    }
    const { contracts } = await createNetwork({ chain: chain.url, founders: folders.map((folder) => join(folder, 'site.json')) }, never)
    for (const folder of folders) await joinNetwork({ folder, password: null, signal: never, contracts, wait: false }, () => undefined)
    const call = (folder: string) => ({ folder, password: null, signal: never })
    const first = folders[0] as string
    const { study } = await publishStudy(call(first), protocol)
    for (const folder of folders) {
      // No node runs yet that would fetch it.
      await (await openOfflineStore(sitePaths(folder).blocks)).putPlain(encodeProtocol(protocol), never)
      await approveStudy({ ...call(folder), study, stewardPassword: null })
    }
    return {
      chain,
      contracts,
      folders,
      async startNodes(options = {}) {
        const started = await Promise.allSettled(folders.map((folder, i) => startNodeProcess({ folder, chainPort: chain.port, index: i, ...options })))
        // Where one fails the others are to be ended too.
        nodes.push(...started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : [])))
        for (const each of started) if (each.status === 'rejected') throw each.reason
        return nodes
      },
      openRun: async () => (await startRun({ ...call(first), study })).run,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function csvOf({ train, test }: SplitTable, label: string): string {
  const lines = [['set', ...train.columns, label].join(',')]
  for (const [set, table] of [
    ['train', train],
    ['test', test],
  ] as const) {
    const width = table.columns.length
    for (let row = 0; row < table.rows; row++) lines.push([set, ...table.values.subarray(row * width, (row + 1) * width), table.label[row]].join(','))
  }
  return `${lines.join('\n')}\n`
}
