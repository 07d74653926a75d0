import { parse } from './ast.ts'
import { apply } from './edits.ts'
import { markSolidity } from './mark-solidity.ts'
import { type Branch, Marking, type Uncounted } from './marking.ts'
import { importProbes, PROBES, PROBES_FILE } from './probes.ts'

/** Sources whose branches tell of themselves, and what the numbers mean that they tell. */
export interface Marked {
  /** By path, as the sources that came in; and the file of the functions that tell. */
  readonly sources: ReadonlyMap<string, string>
  readonly branches: readonly Branch[]
  readonly uncounted: readonly Uncounted[]
}

/** @param sources of contracts by their path from the project's folder, with `/` */
export function mark(sources: ReadonlyMap<string, string>): Marked {
  const marked = new Map<string, string>([[PROBES_FILE, PROBES]])
  const branches: Branch[] = []
  const uncounted: Uncounted[] = []
  for (const [file, source] of sources) {
    const marking = new Marking(file, source, branches.length + 1)
    markSolidity(marking, parse(file, source))
    const text = apply(source, marking.edits)
    marked.set(file, marking.edits.length === 0 ? text : text + importProbes(pathToProbes(file)))
    branches.push(...marking.branches)
    uncounted.push(...marking.uncounted)
  }
  return { sources: marked, branches, uncounted }
}

/** All of them lie under `contracts/`. */
function pathToProbes(file: string): string {
  const up = file.split('/').length - 2
  return `./${'../'.repeat(up)}${PROBES_FILE.split('/').at(-1)}`
}
