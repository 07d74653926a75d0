// Brings node_modules to what package-lock.json says, and only when it is not there already.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { npmCommand, run, withNodeFirst } from './child.mjs'
import { step } from './say.mjs'

const STAMP = join('node_modules', '.rota-setup')

/** A quick look: is what is locked installed? */
export function dependenciesStand(root) {
  return read(join(root, STAMP)) === wanted(root)
}

export async function installDependencies(root, node) {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  if (!isInstalled(root, lock)) {
    const count = Object.keys(lock).filter((path) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) && !lock[path].optional).length
    const [npm, first] = npmCommand(node)
    const args = [...first, 'ci', '--no-audit', '--no-fund', '--loglevel=error']
    await step(
      'Dependencies are installed',
      () => run(npm, args, { cwd: root, env: withNodeFirst(node) }),
      () => `${Math.min(folders(root), count)} of ${count} packages`,
    )
  }
  writeFileSync(join(root, STAMP), wanted(root))
}

/** What was asked for: the lock file and the lists of dependencies (other keys of package.json may change freely). */
function wanted(root) {
  const { dependencies, devDependencies, optionalDependencies, overrides } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .update(JSON.stringify([dependencies, devDependencies, optionalDependencies, overrides]))
    .digest('hex')
}

/** npm's own record of a finished install has every locked package that is not optional, at its version. */
function isInstalled(root, lock) {
  const text = read(join(root, 'node_modules', '.package-lock.json'))
  if (text === null) return false
  const { packages } = JSON.parse(text)
  return Object.entries(lock).every(
    ([path, entry]) => path === '' || !path.startsWith('node_modules/') || entry.optional || entry.devOptional || packages[path]?.version === entry.version,
  )
}

function folders(root) {
  try {
    const top = readdirSync(join(root, 'node_modules'))
    return top.reduce((sum, name) => sum + (name.startsWith('@') ? readdirSync(join(root, 'node_modules', name)).length : Number(!name.startsWith('.'))), 0)
  } catch {
    return 0
  }
}

function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}
