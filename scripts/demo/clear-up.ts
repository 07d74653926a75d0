import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import type { Hospital } from './hospital.ts'
import { commandLine } from './rota.ts'
import type { Stage } from './stage.ts'

/** Ends all that the play started, each by its own means: nodes finish their step, then the chain stops. */
export async function clearUp(stage: Stage, root: string, hospitals: readonly Hospital[]): Promise<void> {
  stage.now('the nodes stop')
  await Promise.all(hospitals.map((hospital) => hospital.stop()))
  await Promise.all(hospitals.map((hospital) => hospital.release()))
  if (chainPid(root) === null) return
  stage.now('the chain stops')
  // Whatever interrupted the play does not interrupt this.
  await commandLine(
    join(root, 'commands.log'),
    new AbortController().signal,
  )(['chain', 'stop', '--folder', join(root, 'chain')]).catch(() => killQuietly(chainPid(root)))
}

/** For an end without time to clear up (an exception, a second Ctrl-C): no process is left behind. @returns takes the guard away */
export function endAtOnce(root: string, hospitals: readonly Hospital[]): () => void {
  const onExit = (): void => {
    for (const { pid } of hospitals) killQuietly(pid)
    killQuietly(chainPid(root))
  }
  process.on('exit', onExit)
  return () => void process.off('exit', onExit)
}

function chainPid(root: string): number | null {
  try {
    const { pid } = JSON.parse(readFileSync(join(root, 'chain', 'chain.json'), 'utf8')) as { pid?: unknown }
    return typeof pid === 'number' ? pid : null
  } catch {
    return null
  }
}

function killQuietly(pid: number | null): void {
  try {
    if (pid !== null) process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}
