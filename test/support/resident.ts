import { readFile } from 'node:fs/promises'

/** Resident memory of a process now, and the most it ever was, in bytes; null where the system does not tell (no Linux). */
export async function residentOf(pid: number): Promise<{ readonly now: number; readonly most: number } | null> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => null)
  const kB = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text ?? '')?.[1])
  return text === null ? null : { now: kB('VmRSS') * 1024, most: kB('VmHWM') * 1024 }
}
