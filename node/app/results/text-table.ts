import { fixed, NO_VALUE } from '#base/format.ts'

/** A table as text, for the terminal and the printed page. */
export interface TextTable {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
  readonly note?: string
}

export const interval = (ci: readonly [number, number] | null | undefined): string => (ci ? `${fixed(ci[0], 3)} to ${fixed(ci[1], 3)}` : NO_VALUE)
