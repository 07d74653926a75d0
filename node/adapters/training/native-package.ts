import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, sep } from 'node:path'

/**
 * Where an optional native package lies, and whether its native part was built or fetched. Looks at files only: loading
 * it is the child process's risk.
 */
export interface NativePackage {
  /** null when npm did not install the package. */
  readonly folder: string | null
  readonly hasAddon: boolean
}

/** @param from a folder whose node_modules are looked through; default: this program's own */
export function findNative(name: string, from: string | null): NativePackage {
  const require = createRequire(from === null ? import.meta.url : join(from, 'package.json'))
  const folder = folderOf(require, name)
  return { folder, hasAddon: folder !== null && addonFile(folder) !== null }
}

function folderOf(require: NodeJS.Require, name: string): string | null {
  try {
    const inside = require.resolve(`${name}/package.json`)
    return dirname(inside)
  } catch {
    const places = require.resolve.paths(name) ?? []
    const found = places.map((place) => join(place, ...name.split('/'))).find((folder) => existsSync(join(folder, 'package.json')))
    return found === undefined ? null : found.split('/').join(sep)
  }
}

/** The package looks in lib/napi-v<highest it knows and Node has>/; anything there is worth a try. */
function addonFile(folder: string): string | null {
  for (let version = Number(process.versions['napi'] ?? 8); version > 0; version--) {
    const file = join(folder, 'lib', `napi-v${version}`, 'tfjs_binding.node')
    if (existsSync(file)) return file
  }
  return null
}
