import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

/** A file that the code writes, whole or in marked sections: `<!-- generated: NAME -->` … `<!-- end of NAME -->`. */
export interface Document {
  readonly file: string
  /** The whole file. */
  readonly whole?: () => string | Promise<string>
  /** By name of the section. */
  readonly sections?: Readonly<Record<string, () => string | Promise<string>>>
}

/** The file's text as the code would have it now. @throws when a section's markers are missing or the file has one that nobody writes */
export async function freshText({ file, whole, sections = {} }: Document): Promise<string> {
  if (whole !== undefined) return whole()
  let text = await readDocument(file)
  for (const [name, make] of Object.entries(sections)) text = replaceSection(text, name, await make(), file)
  const strange = [...text.matchAll(/<!-- generated: (.+?) -->/g)].map((match) => match[1] ?? '').filter((name) => !(name in sections))
  if (strange.length > 0) throw new Error(`${file}: nothing writes the section ${strange.join(', ')}`)
  return text
}

export const readDocument = (file: string): Promise<string> => readFile(join(ROOT, file), 'utf8').catch(() => '')

export const writeDocument = (file: string, text: string): Promise<void> => writeFile(join(ROOT, file), text)

function replaceSection(text: string, name: string, content: string, file: string): string {
  const [begin, end] = [`<!-- generated: ${name} -->`, `<!-- end of ${name} -->`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${file}: the markers of section ${name} are missing`)
  return `${text.slice(0, from + begin.length)}\n${content.trim()}\n${text.slice(to)}`
}
