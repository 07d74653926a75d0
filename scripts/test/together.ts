import { LONG } from './long-files.ts'

/** Groups of which most files are over in less time than a process takes to start and load what they import. */
const QUICK: ReadonlySet<string> = new Set(['unit', 'compliance', 'rounds', 'attacks'])
/** Files a process: few enough that two cores share the work to the end. */
const FILES_A_PROCESS = 30

/** Files of a quick group that change what all of a process see, or ask it what it is, and why each needs one to itself. */
export const ALONE: Readonly<Record<string, string>> = {
  'test/unit/training/self-test.test.ts': 'asks what stock kernels compute: another file may have put mended ones in their place',
}

/** What of a group's files runs alone, and which run one after the other in one process. */
export function together(group: string, files: readonly string[]): { readonly alone: readonly string[]; readonly batches: readonly (readonly string[])[] } {
  const named = (file: string): string => file.replaceAll('\\', '/')
  const mayShare = (file: string): boolean => QUICK.has(group) && LONG[named(file)] === undefined && ALONE[named(file)] === undefined
  const quick = files.filter(mayShare)
  const batches = Array.from({ length: Math.ceil(quick.length / FILES_A_PROCESS) }, (_, i) => quick.slice(i * FILES_A_PROCESS, (i + 1) * FILES_A_PROCESS))
  return { alone: files.filter((file) => !mayShare(file)), batches }
}
