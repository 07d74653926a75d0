import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

const SPECIFIER = /(?:^import (?!type )[^'\n]*|^export [^'\n]*from |^} from |import\()'((?:@[a-z0-9-]+\/)?[a-z][a-z0-9-.]*(?:\/[a-z0-9-./]+)?)'/gm
/** They look for files of their own beside themselves (native parts, WebAssembly). */
const STAY = /^(@tensorflow\/|@foundry-rs\/|preact|esbuild)/
const NODE = join(import.meta.dirname, '../../node')

/** What node/ imports from packages, without what stays where it is: what set-up puts together. Read from a list, since every start asks whether it is still so. */
export async function importedPackages(): Promise<string> {
  const found = new Set<string>()
  for (const file of await readdir(NODE, { recursive: true })) {
    if (!file.endsWith('.ts') || file.includes(join('web', 'pages'))) continue
    for (const [, name = ''] of (await readFile(join(NODE, file), 'utf8')).matchAll(SPECIFIER)) if (!STAY.test(name)) found.add(name)
  }
  return `${JSON.stringify([...found].sort(), null, 2)}\n`
}
