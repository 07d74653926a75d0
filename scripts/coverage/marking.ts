import { type Node, type Span, spanOf } from './ast.ts'
import type { Edit } from './edits.ts'

/** One way that a run can take. */
export interface Branch {
  /** The number that it tells; from 1 over all sources. */
  readonly tag: number
  readonly file: string
  readonly line: number
  /** What decides: `if`, `?:`, `for`, `while`, `&&`, `||`, `require`, `try`, and `assembly if` and so on. */
  readonly kind: string
  readonly text: string
  /** How it decides: `true`, `false`, `case 1`, `default`, `catch`. */
  readonly outcome: string
}

/** What decides but cannot be counted, and why. */
export interface Uncounted {
  readonly file: string
  readonly line: number
  readonly text: string
  readonly reason: string
}

/** Collects what one source's branches are and what has to be put into it. */
export class Marking {
  readonly file: string
  readonly branches: Branch[] = []
  readonly uncounted: Uncounted[] = []
  readonly edits: Edit[] = []
  readonly #bytes: Buffer
  #next: number

  /** @param next first number that is free */
  constructor(file: string, source: string, next: number) {
    this.file = file
    this.#bytes = Buffer.from(source, 'utf8')
    this.#next = next
  }

  /** First number that is free. */
  get next(): number {
    return this.#next
  }

  /** Notes branches at a node. @returns the number of the first */
  branch(node: Node, kind: string, ...outcomes: readonly string[]): number {
    const first = this.#next
    for (const outcome of outcomes) this.branches.push({ tag: this.#next++, ...this.#place(node), kind, outcome })
    return first
  }

  leaveOut(node: Node, reason: string): void {
    this.uncounted.push({ ...this.#place(node), reason })
  }

  around({ start, end }: Span, before: string, behind: string): void {
    this.edits.push({ start, end, before, behind })
  }

  /** Puts something right behind the `{` of a block. */
  intoBlock(block: Node, text: string): void {
    const { start } = spanOf(block)
    this.around({ start, end: start + 1 }, '', text)
  }

  #place(node: Node): { file: string; line: number; text: string } {
    const { start, end } = spanOf(node)
    const line = this.#bytes.subarray(0, start).toString('latin1').split('\n').length
    const text = this.#bytes.subarray(start, end).toString('utf8').replace(/\s+/g, ' ')
    return { file: this.file, line, text }
  }
}
