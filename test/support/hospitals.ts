import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { type DevChain, type DevChainOptions, startAnvil } from '#adapters/devchain/anvil.ts'
import { createNetwork, joinNetwork } from '#app/chain/network.ts'
import { openOfflineStore } from '#app/node/offline-store.ts'
import type { NodeEvent } from '#app/node/run-node.ts'
import { initSite } from '#app/site/init-site.ts'
import { sitePaths } from '#app/site/site-folder.ts'
import { approveStudy, publishStudy, startRun } from '#app/study/studies.ts'
import { isRotaError } from '#base/errors.ts'
import type { RunId, StudyId } from '#base/ids.ts'
import type { SplitTable } from '#core/model/table.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { encodeProtocol } from '#wire/protocol.ts'
import { CHEAP_KEYS } from './cheap-keys.ts'

const BIN = new URL('../../node/cli/bin.mjs', import.meta.url).pathname
const never = new AbortController().signal
/** A node starts in a second or two; several at once, on a machine that does much else, take their time. What passes waits no longer for that. */
const LIMIT_MS = 180_000

/** Hospitals as people have them: folders on a disk, an embedded chain, and nodes in processes of their own. */
export interface Hospitals {
  readonly dir: string
  readonly chain: DevChain
  readonly contracts: string
  readonly folders: readonly string[]
  readonly nodes: (Hospital | undefined)[]
  /** Publishes at the first site, approves at all, once every node has the protocol. */
  publish(protocol: Protocol): Promise<StudyId>
  /** As soon as this site's node has the study's key: on a slow machine later than one command would wait for it. */
  openRun(study: StudyId, at?: number): Promise<RunId>
  start(site: number, options?: readonly string[]): Promise<Hospital>
  /** Kills the chain's process and starts it again from what it had written: it may have lost its last blocks. */
  restartChain(awayMs: number): Promise<void>
  startAll(): Promise<void>
  /** Ends every process and deletes the folders. */
  stop(): Promise<void>
}

export interface HospitalRows {
  readonly name: string
  readonly rows: SplitTable
  /** In place of `rows`: the file's own text. */
  readonly csv?: string
}

/**
 * Four blocks a second, whatever is sent: a round takes one second, as on a chain of validators it takes some blocks, and most of the cores
 * are left to whatever else is tested. With a block for each transaction a run takes all that there is.
 */
export const PACED: DevChainOptions = { blockTimeSeconds: 0.25, stateIntervalSeconds: 3_600 }

export async function makeHospitals(
  sites: readonly HospitalRows[],
  label: string,
  chainOptions: DevChainOptions = { blockTimeSeconds: 1, mixedMining: true },
  surround: (chain: DevChain, dir: string) => Promise<Surroundings> = plain,
): Promise<Hospitals> {
  const dir = await mkdtemp(join(tmpdir(), 'rota-e2e-'))
  const chain = await startAnvil({ stateFile: join(dir, 'chain.json'), ...chainOptions })
  try {
    return await foundNetwork(dir, chain, sites, label, chainOptions, await surround(chain, dir))
  } catch (error) {
    await chain.stop()
    throw error
  }
}

/** What lies between the hospitals, and how each one's node is started. */
export interface Surroundings {
  /** Where this site finds the chain. */
  chainUrl(site: number): string
  /** Where this site listens, and what it tells others to dial. */
  addresses(site: number): { readonly listen: readonly string[] | undefined; readonly announce: readonly string[] }
  /** Arguments of Node. */
  command(site: number, folder: string, options: readonly string[]): readonly string[]
  stop(): Promise<void>
}

/** Nothing between them, and `rota run`. */
const plain = async (chain: DevChain): Promise<Surroundings> => ({
  chainUrl: () => chain.url,
  addresses: () => ({ listen: undefined, announce: [] }),
  command: (_, folder, options) => [BIN, 'run', '--folder', folder, '--json', '--log-format', 'json', ...options],
  stop: async () => undefined,
})

async function foundNetwork(
  dir: string,
  chain: DevChain,
  sites: readonly HospitalRows[],
  label: string,
  chainOptions: DevChainOptions,
  around: Surroundings,
): Promise<Hospitals> {
  let current = chain
  const password = { file: join(dir, 'password') }
  await writeFile(password.file, 'correct horse battery staple\n', { mode: 0o600 })
  const folders = sites.map((_, i) => join(dir, `site-${i}`))
  for (const [i, { name, rows, csv }] of sites.entries()) {
    const data = join(dir, `rows-${i}.csv`)
    await writeFile(data, csv ?? csvOf(rows, label))
    const folder = folders[i] as string
    await initSite({
      folder,
      name,
      chain: around.chainUrl(i),
      data,
      mapping: undefined,
      ...around.addresses(i),
      webPort: undefined,
      password,
      stewardPassword: undefined,
      keyCost: CHEAP_KEYS,
    })
  }
  const { contracts } = await createNetwork({ chain: chain.url, founders: folders.map((folder) => join(folder, 'site.json')) }, never)
  for (const folder of folders) await joinNetwork({ folder, password: null, signal: never, contracts, wait: false }, () => undefined)
  const nodes: (Hospital | undefined)[] = []
  const call = (i: number) => ({ folder: folders[i] as string, password: null, signal: never })
  const start = async (site: number, options: readonly string[] = []): Promise<Hospital> => {
    const node = launch(around.command(site, folders[site] as string, options))
    nodes[site] = node
    await node.until((e) => e.event === 'started')
    return node
  }
  return {
    dir,
    chain,
    contracts,
    folders,
    nodes,
    async publish(protocol) {
      const { study } = await publishStudy(call(0), protocol)
      for (const [i, folder] of folders.entries()) {
        // Where no node runs yet, the protocol comes by hand.
        if (nodes[i] === undefined) await (await openOfflineStore(sitePaths(folder).blocks)).putPlain(encodeProtocol(protocol), never)
        await approveStudy({ ...call(i), study, stewardPassword: null })
      }
      return study
    },
    openRun: (study, at = 0) => untilDone(async () => (await startRun({ ...call(at), study })).run),
    start,
    async restartChain(awayMs) {
      await killBetweenWrites(current.pid, join(dir, 'chain.json'))
      await sleep(awayMs)
      current = await startAnvil({ stateFile: join(dir, 'chain.json'), ...chainOptions, port: chain.port })
    },
    async startAll() {
      await Promise.all(folders.map((_, i) => start(i)))
    },
    async stop() {
      await Promise.all(nodes.map((node) => node?.end('SIGKILL')))
      await around.stop()
      await current.stop()
      await rm(dir, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** Once more while the error says that it may be tried again. */
async function untilDone<T>(act: () => Promise<T>): Promise<T> {
  for (const end = Date.now() + LIMIT_MS; ; await sleep(250)) {
    try {
      return await act()
    } catch (error) {
      if (!isRotaError(error) || error.reaction !== 'retry' || Date.now() > end) throw error
    }
  }
}

/** The chain writes its state in place: killed in the middle of that, it would leave half a file. Stops it first, and looks. */
async function killBetweenWrites(pid: number, stateFile: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    process.kill(pid, 'SIGSTOP')
    if (await isWhole(stateFile)) {
      process.kill(pid, 'SIGKILL')
      return
    }
    process.kill(pid, 'SIGCONT')
    await sleep(37)
  }
  throw new Error('the chain never rested between two writes')
}

const isWhole = (file: string): Promise<boolean> =>
  readFile(file, 'utf8')
    .then(
      (text) => JSON.parse(text) !== null,
      () => false,
    )
    .catch(() => false)

/** A node in its own process. */
export interface Hospital {
  readonly pid: number
  readonly events: readonly NodeEvent[]
  /** All that it wrote, to both streams. */
  said(): string
  /** The first event (past ones too) that fits. @throws Error when none came in time, with what the node said last */
  until(fits: (event: NodeEvent) => boolean, withinMs?: number): Promise<NodeEvent>
  end(signal: NodeJS.Signals): Promise<number | null>
  /** By what it was ended. @throws Error when it has not ended by then */
  ended(withinMs?: number): Promise<NodeJS.Signals | number | null>
}

const launch = (command: readonly string[]): Hospital => watch(spawn(process.execPath, command, { stdio: ['pipe', 'pipe', 'pipe'] }))

function watch(child: ChildProcess): Hospital {
  const events: NodeEvent[] = []
  const listeners = new Set<() => void>()
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  if (child.stdout !== null)
    createInterface({ input: child.stdout }).on('line', (line) => {
      events.push(JSON.parse(line) as NodeEvent)
      for (const listener of listeners) listener()
    })
  const exited = once(child, 'exit')
  return {
    pid: child.pid as number,
    events,
    said: () => said,
    until: (fits, withinMs = LIMIT_MS) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = events.find(fits)
          if (found === undefined) return
          done()
          resolve(found)
        }
        const fail = (why: string) => {
          done()
          reject(new Error(`${why}; the node said:\n${said.slice(-3_000)}`))
        }
        const timer = setTimeout(() => fail(`no such event within ${withinMs} ms`), withinMs)
        const onExit = () => fail('the node ended')
        const done = () => {
          clearTimeout(timer)
          listeners.delete(look)
          child.off('exit', onExit)
        }
        listeners.add(look)
        child.on('exit', onExit)
        if (child.exitCode !== null || child.signalCode !== null) fail('the node has ended')
        else look()
      }),
    async ended(withinMs = LIMIT_MS) {
      const patience = new AbortController()
      const late = sleep(withinMs, undefined, { signal: patience.signal }).then(() => {
        throw new Error(`not ended within ${withinMs} ms; the node said:\n${said.slice(-3_000)}`)
      })
      await Promise.race([exited, late]).finally(() => patience.abort())
      return child.signalCode ?? child.exitCode
    },
    async end(signal) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill(signal)
        await exited
      }
      return child.exitCode
    },
  }
}

export function csvOf({ train, test }: SplitTable, label: string): string {
  const lines = [['set', ...train.columns, label].join(',')]
  for (const [set, table] of [
    ['train', train],
    ['test', test],
  ] as const)
    for (let row = 0; row < table.rows; row++)
      lines.push([set, ...table.values.subarray(row * table.columns.length, (row + 1) * table.columns.length), table.label[row]].join(','))
  return `${lines.join('\n')}\n`
}

/** With a column that names patients, as a private study asks for: each row is one of its own. */
export function withPatients(site: number, { train, test }: SplitTable, label: string): string {
  const lines = [['patient', 'set', ...train.columns, label].join(',')]
  for (const [set, table] of Object.entries({ train, test }))
    for (let i = 0; i < table.rows; i++)
      lines.push([`${site}-${set}-${i}`, set, ...table.values.subarray(i * table.columns.length, (i + 1) * table.columns.length), table.label[i]].join(','))
  return `${lines.join('\n')}\n`
}
