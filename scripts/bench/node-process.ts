import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import type { WireBytes } from './wire-meter.ts'

/** What scripts/bench/node.ts says. */
export interface NodeLine {
  readonly event: 'started' | 'opened' | 'step' | 'trouble' | 'over' | 'run-over'
  readonly run?: number
  readonly round?: number
  readonly block?: number
  readonly row?: string
  readonly ms?: number
  readonly atMs: number
  readonly wire: WireBytes
  readonly rssBytes: number
  readonly cpuMs: number
}

/** One hospital's node in its own process. */
export interface NodeProcess {
  readonly lines: readonly NodeLine[]
  /** The first line, past ones too, that fits. @throws Error when none comes in time or the node ends */
  until(fits: (line: NodeLine) => boolean, withinMs: number): Promise<NodeLine>
  end(): Promise<void>
}

interface Start {
  readonly folder: string
  readonly chainPort: number
  readonly index: number
  readonly noise?: boolean
  readonly profiles?: string | undefined
}

/** Twenty-three at once on two cores take their time. */
const START_MS = 180_000
const END_MS = 20_000

export async function startNodeProcess({ folder, chainPort, index, noise = false, profiles }: Start): Promise<NodeProcess> {
  const profile = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`]
  const script = join(import.meta.dirname, 'node-start.mjs')
  const args = [...profile, script, folder, `${chainPort}`, ...(noise ? ['--noise', `${index}`] : [])]
  const node = watch(spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] }))
  try {
    await node.until((line) => line.event === 'started', START_MS)
    return node
  } catch (error) {
    await node.end()
    throw error
  }
}

function watch(child: ChildProcess): NodeProcess {
  const lines: NodeLine[] = []
  const listeners = new Set<() => void>()
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2_000)
  })
  const tell = (): void => {
    for (const listener of listeners) listener()
  }
  if (child.stdout !== null)
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(JSON.parse(line) as NodeLine)
      tell()
    })
  const exited = once(child, 'exit')
  const ended = (): boolean => child.exitCode !== null || child.signalCode !== null
  child.once('exit', tell)
  return {
    lines,
    until: (fits, withinMs) =>
      new Promise((resolve, reject) => {
        const settle = (act: () => void): void => {
          clearTimeout(timer)
          listeners.delete(look)
          act()
        }
        const fail = (why: string): void => settle(() => reject(new Error(`${why}; the node said: ${said}\n${JSON.stringify(lines.at(-1))}`)))
        const look = (): void => {
          const found = lines.find(fits)
          if (found !== undefined) settle(() => resolve(found))
          else if (ended()) fail('a node ended')
        }
        const timer = setTimeout(() => fail(`a node did not get there within ${withinMs} ms`), withinMs)
        listeners.add(look)
        look()
      }),
    async end() {
      if (ended()) return
      child.kill('SIGTERM')
      const patience = setTimeout(() => child.kill('SIGKILL'), END_MS)
      await exited
      clearTimeout(patience)
    },
  }
}
