// Puts the packages that node/ imports together into a few files, with the bundler that npm brought (no network): a command that reads a
// hundred files starts in half the time of one that reads five hundred. node/cli/bundled.mjs takes them from there.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './child.mjs'
import { step } from './say.mjs'

/** Beside the files: what they were made of, and which package's file each stands for. */
export const MAP = join('.cache', 'packages', 'map.json')
/** npm's own record of what is installed. */
const INSTALLED = join('node_modules', '.package-lock.json')
const SPECIFIER = /(?:^import (?!type )[^'\n]*|^export [^'\n]*from |^} from |import\()'((?:@[a-z0-9-]+\/)?[a-z][a-z0-9-.]*(?:\/[a-z0-9-./]+)?)'/gm
/** They look for files of their own beside themselves (native parts, WebAssembly). */
const STAY = /^(@tensorflow\/|@foundry-rs\/|preact|esbuild)/

export function packagesStand(root) {
  try {
    const { inputs } = JSON.parse(readFileSync(join(root, MAP), 'utf8'))
    return inputs === inputsOf(root)
  } catch {
    return false
  }
}

/** In a process of Node 24: which of its files a package gives depends on the Node that asks. */
export async function bundlePackages(root, node) {
  await step('Packages are bundled', () => run(node, [join(root, 'scripts', 'setup', 'bundle-packages.mjs')], { cwd: root }))
}

/** What node/ imports from packages, without what stays where it is, in order. */
export function importedPackages(root) {
  const found = new Set()
  for (const entry of readdirSync(join(root, 'node'), { recursive: true, withFileTypes: true })) {
    const folder = entry.parentPath ?? entry.path
    if (!entry.isFile() || !entry.name.endsWith('.ts') || folder.includes(join('web', 'pages'))) continue
    for (const [, name] of readFileSync(join(folder, entry.name), 'utf8').matchAll(SPECIFIER))
      if (!name.startsWith('node:') && !STAY.test(name)) found.add(name)
  }
  return [...found].sort()
}

/** Bundles of other versions are not taken: a command that finds another record here reads the packages themselves. */
export const installedDigest = (root) =>
  createHash('sha256')
    .update(readFileSync(join(root, INSTALLED)))
    .digest('hex')

export function inputsOf(root) {
  const hash = createHash('sha256').update(installedDigest(root))
  for (const name of ['packages.mjs', 'bundle-packages.mjs']) hash.update(readFileSync(join(root, 'scripts', 'setup', name)))
  return hash.update(importedPackages(root).join('\n')).digest('hex')
}
