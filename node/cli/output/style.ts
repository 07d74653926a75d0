import { styleText } from 'node:util'

/** Marks on text: escape sequences on a terminal that shows them, nothing anywhere else (files, pipes, NO_COLOR). */
export interface Style {
  bold(text: string): string
  dim(text: string): string
  good(text: string): string
  bad(text: string): string
  warn(text: string): string
  accent(text: string): string
}

/** @param stream asked whether it is a terminal; the environment's NO_COLOR and FORCE_COLOR are honoured */
export function styleFor(stream: NodeJS.WriteStream): Style {
  const mark = (format: Parameters<typeof styleText>[0]) => (text: string) => styleText(format, text, { stream })
  return { bold: mark('bold'), dim: mark('dim'), good: mark('green'), bad: mark('red'), warn: mark('yellow'), accent: mark('cyan') }
}

export const plain: Style = { bold: same, dim: same, good: same, bad: same, warn: same, accent: same }

function same(text: string): string {
  return text
}
