import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { RotaError } from '#base/errors.ts'

/** What the compiler made of one contract. Only deployment needs it: a node works with abi.ts alone. */
export interface Artifact {
  readonly abi: readonly object[]
  /** Creation code, 0x-hex. */
  readonly bytecode: string
}

const ROOT = join(import.meta.dirname, '../../..')

/** Where Hardhat puts what it compiled. */
export const ARTIFACTS_DIR = join(ROOT, '.cache/artifacts')

/** @throws ROTA-1311 when the contract is not compiled */
export function readArtifact(contract: string, dir: string = ARTIFACTS_DIR): Artifact {
  const file = join(dir, 'contracts', `${contract}.sol`, `${contract}.json`)
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Artifact
  } catch (cause) {
    throw new RotaError('ROTA-1311', { contract, file }, cause)
  }
}
