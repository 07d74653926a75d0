// Compiles the contracts, with the compiler that npm brought (no network), when a source changed.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, withNodeFirst } from './child.mjs'
import { step } from './say.mjs'

const STAMP = join('.cache', 'contracts.stamp')
const HARDHAT = join('node_modules', 'hardhat', 'dist', 'src', 'cli.js')
/** Where hardhat.config.ts puts what node/ and scripts/ deploy. */
const ARTIFACTS = join('.cache', 'artifacts', 'contracts')

export function contractsStand(root) {
  try {
    return existsSync(join(root, ARTIFACTS)) && readFileSync(join(root, STAMP), 'utf8') === sources(root)
  } catch {
    return false
  }
}

export async function compileContracts(root, node) {
  const stamp = sources(root)
  const env = { ...withNodeFirst(node), HARDHAT_DISABLE_TELEMETRY_PROMPT: 'true' }
  await step('Contracts are compiled', () => run(node, [join(root, HARDHAT), 'build', '--no-tests'], { cwd: root, env }))
  mkdirSync(join(root, '.cache'), { recursive: true })
  writeFileSync(join(root, STAMP), stamp)
}

/** Digest of all that goes into the compiler: sources, its settings, and the locked versions. */
function sources(root) {
  const hash = createHash('sha256')
  for (const file of ['hardhat.config.ts', 'package-lock.json', ...solidity(root, 'contracts')]) hash.update(file).update(readFileSync(join(root, file)))
  return hash.digest('hex')
}

function solidity(root, folder) {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return solidity(root, path)
      return entry.name.endsWith('.sol') ? [path] : []
    })
}
