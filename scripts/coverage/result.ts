import type { Branch, Uncounted } from './marking.ts'

/** Issue's bar for lines and for branches, in percent. */
export const BAR = 95

export interface Share {
  readonly covered: number
  readonly of: number
}

export interface FileResult {
  readonly file: string
  readonly lines: Share
  readonly branches: Share
  /** Numbers of lines that no test came to. */
  readonly missedLines: readonly number[]
}

export interface CoverageResult {
  readonly lines: Share
  readonly branches: Share
  readonly files: readonly FileResult[]
  /** Branches that no test took. */
  readonly missed: readonly Branch[]
  readonly uncounted: readonly Uncounted[]
  readonly reached: boolean
}

interface Marks {
  readonly branches: readonly Branch[]
  readonly uncounted: readonly Uncounted[]
}

interface Seen {
  readonly tags: ReadonlySet<number>
  readonly lcov: string
}

/** What the run of the copy says about the project's own sources. Files in which nothing runs, such as interfaces, are left out. */
export function resultOf({ branches, uncounted }: Marks, { tags, lcov }: Seen, files: Iterable<string>): CoverageResult {
  const lines = readLcov(lcov)
  const rows = [...files].map((file) => rowOf(file, lines.get(file) ?? new Map(), branches, tags)).filter((row) => row.lines.of + row.branches.of > 0)
  const total = { lines: sum(rows.map((row) => row.lines)), branches: sum(rows.map((row) => row.branches)) }
  const reached = [total.lines, total.branches].every((share) => percent(share) >= BAR)
  return { ...total, files: rows, missed: branches.filter(({ tag }) => !tags.has(tag)), uncounted, reached }
}

/** 100 of nothing. */
export const percent = ({ covered, of }: Share): number => (of === 0 ? 100 : (100 * covered) / of)

function rowOf(file: string, lines: ReadonlyMap<number, boolean>, all: readonly Branch[], tags: ReadonlySet<number>): FileResult {
  const branches = all.filter((branch) => branch.file === file)
  const missedLines = [...lines].filter(([, hit]) => !hit).map(([line]) => line)
  return {
    file,
    lines: { covered: lines.size - missedLines.length, of: lines.size },
    branches: { covered: branches.filter(({ tag }) => tags.has(tag)).length, of: branches.length },
    missedLines,
  }
}

const sum = (shares: readonly Share[]): Share => ({
  covered: shares.reduce((total, { covered }) => total + covered, 0),
  of: shares.reduce((total, { of }) => total + of, 0),
})

/** By file and line, whether a test came to it; see geninfo(1). */
function readLcov(lcov: string): Map<string, Map<number, boolean>> {
  const files = new Map<string, Map<number, boolean>>()
  for (const record of lcov.split('end_of_record')) {
    const file = /^SF:(.*)$/m.exec(record)?.[1]?.replaceAll('\\', '/')
    const lines = [...record.matchAll(/^DA:(\d+),(\d+)/gm)].map(([, line, hits]) => [Number(line), hits !== '0'] as const)
    if (file !== undefined) files.set(file, new Map(lines))
  }
  return files
}
