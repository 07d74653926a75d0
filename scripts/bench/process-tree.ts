import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** A process as Linux tells of it. */
interface Told {
  readonly pid: number
  readonly parent: number
  readonly ended: boolean
  /** Its own and that of children whose end it has seen. */
  readonly cpuTicks: number
  /** Ticks after boot: with the id, one process and no other. */
  readonly started: string
}

/** What `getconf CLK_TCK` says wherever Linux runs on a processor that Node runs on. */
const TICKS_A_SECOND = 100
const TERM_MS = 15_000
const LOOK_MS = 200

/** What these processes, and all that they and theirs started, have computed. */
export const cpuSecondsOf = (roots: readonly number[]): number => treeOf(roots).reduce((sum, { cpuTicks }) => sum + cpuTicks, 0) / TICKS_A_SECOND

/** Ends these and all that they and theirs started, each by its id: asked first, killed when it does not listen. */
export async function endTree(roots: readonly number[], patienceMs = TERM_MS): Promise<void> {
  const tree = treeOf(roots)
  const left = (): readonly Told[] => tree.filter(({ pid, started }) => isAsItWas(tell(pid), started))
  for (const { pid } of tree.filter(({ pid }) => roots.includes(pid))) signal(pid, 'SIGTERM')
  for (const untilMs = Date.now() + patienceMs; left().length > 0 && Date.now() < untilMs; ) await sleep(LOOK_MS)
  for (const { pid } of left()) signal(pid, 'SIGKILL')
  while (left().length > 0) await sleep(LOOK_MS)
}

const isAsItWas = (now: Told | null, started: string): boolean => now !== null && !now.ended && now.started === started

function signal(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended meanwhile.
  }
}

function treeOf(roots: readonly number[]): readonly Told[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => tell(Number(name)) ?? [])
  const tree = all.filter(({ pid }) => roots.includes(pid))
  // Whoever is found is looked under, too.
  for (const { pid } of tree) tree.push(...all.filter((each) => each.parent === pid && !tree.includes(each)))
  return tree
}

/** Null when there is none, or none any more. */
function tell(pid: number): Told | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name before it, in brackets, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const cpuTicks = [11, 12, 13, 14].reduce((sum, i) => sum + Number(fields[i]), 0)
    return { pid, parent: Number(fields[1]), ended: fields[0] === 'Z' || fields[0] === 'X', cpuTicks, started: fields[19] as string }
  } catch {
    return null
  }
}
