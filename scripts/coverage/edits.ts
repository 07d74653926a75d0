import type { Span } from './ast.ts'

/** Text put before and behind a piece of a source, which is not empty. */
export interface Edit extends Span {
  readonly before: string
  readonly behind: string
}

/**
 * The source with all edits. Those of one place nest: what encloses more stands further out, and what ends there stands before what begins.
 * @param edits may enclose each other, never overlap in part
 */
export function apply(source: string, edits: readonly Edit[]): string {
  const bytes = Buffer.from(source, 'utf8')
  const outerFirst = edits.toSorted((a, b) => a.start - b.start || b.end - a.end)
  const closing = outerFirst.toReversed().map(({ end, behind }) => ({ at: end, text: behind }))
  const opening = outerFirst.map(({ start, before }) => ({ at: start, text: before }))
  let from = 0
  const texts = [...closing, ...opening]
    .toSorted((a, b) => a.at - b.at)
    .map(({ at, text }) => {
      const between = bytes.subarray(from, at).toString('utf8')
      from = at
      return between + text
    })
  return texts.join('') + bytes.subarray(from).toString('utf8')
}
