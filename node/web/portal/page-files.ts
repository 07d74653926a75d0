import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RotaError } from '#base/errors.ts'

/** A file of a page as it is served. */
export interface PageFile {
  readonly type: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

const DIST = join(import.meta.dirname, '../pages/dist')
const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
}

/**
 * A page's bundled files by path, that of the folder for its index.html: read once, so that no request names a file of the disk.
 * @param under where it is served; its files name each other relatively @throws ROTA-6513
 */
export async function pageFiles(page: string, under = ''): Promise<ReadonlyMap<string, PageFile>> {
  const folder = join(DIST, page)
  const names = await readdir(folder).catch((): string[] => [])
  if (!names.includes('index.html')) throw new RotaError('ROTA-6513', { folder })
  const files = await Promise.all(
    names.map(
      async (name) =>
        [`${under}/${name}`, { type: TYPES[name.split('.').at(-1) ?? ''] ?? 'text/plain', bytes: new Uint8Array(await readFile(join(folder, name))) }] as const,
    ),
  )
  const byPath = new Map(files)
  const index = byPath.get(`${under}/index.html`)
  return index === undefined ? byPath : byPath.set(`${under}/`, index)
}
