// Puts the packages that node/ imports together into a few files, with the bundler that npm brought (no network): a command that reads a
// hundred files starts in half the time of one that reads five hundred. node/cli/bundled.mjs takes them from there.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './child.mjs'
import { step } from './say.mjs'

/** Beside the files: what they were made of, and which package's file each stands for. */
export const MAP = join('.cache', 'packages', 'map.json')
/** npm's own record of what is installed. */
const INSTALLED = join('node_modules', '.package-lock.json')
/** What node/ imports from packages, but for those that stay where they are; `npm run fix` writes it, `npm run check` and a test hold it against node/. */
const IMPORTED = join('scripts', 'setup', 'packages.json')
const SCRIPTS = ['packages.mjs', 'bundle-packages.mjs'].map((name) => join('scripts', 'setup', name))

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

export const importedPackages = (root) => JSON.parse(readFileSync(join(root, IMPORTED), 'utf8'))

/** Bundles of other versions are not taken: a command that finds another record here reads the packages themselves. */
export const installedDigest = (root) =>
  createHash('sha256')
    .update(readFileSync(join(root, INSTALLED)))
    .digest('hex')

export function inputsOf(root) {
  const hash = createHash('sha256').update(installedDigest(root))
  for (const file of [IMPORTED, ...SCRIPTS]) hash.update(readFileSync(join(root, file)))
  return hash.digest('hex')
}
