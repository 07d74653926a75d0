import { accessSync, constants } from 'node:fs'
import { createRequire } from 'node:module'
import { RotaError } from '#base/errors.ts'

/**
 * The chain's native program inside its npm package for this platform: found, not run through the package's own launcher,
 * so that signals reach it and no install script is needed.
 * @throws ROTA-1310 when the package for this platform is not installed
 */
export function findAnvil(): string {
  const platform = `${process.platform}-${process.arch}`
  const folder = PACKAGES[platform]
  if (folder === undefined) throw new RotaError('ROTA-1310', { platform })
  try {
    const launcher = createRequire(import.meta.url).resolve('@foundry-rs/anvil/package.json')
    const path = createRequire(launcher).resolve(`@foundry-rs/anvil-${folder}/bin/anvil${process.platform === 'win32' ? '.exe' : ''}`)
    accessSync(path, constants.X_OK)
    return path
  } catch (cause) {
    throw new RotaError('ROTA-1310', { platform }, cause)
  }
}

const PACKAGES: Readonly<Record<string, string>> = {
  'linux-x64': 'linux-amd64',
  'linux-arm64': 'linux-arm64',
  'darwin-x64': 'darwin-amd64',
  'darwin-arm64': 'darwin-arm64',
  'win32-x64': 'win32-amd64',
}
