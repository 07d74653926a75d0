import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { type Artifact, readArtifact } from '#adapters/chain/artifacts.ts'

const ROOT = join(import.meta.dirname, '../../..')
const HARNESS = 'test/contracts/support/MaskedRegistry.sol'

interface Output {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[]
  readonly contracts?: Readonly<
    Record<string, Readonly<Record<string, { readonly abi: readonly object[]; readonly evm: { readonly bytecode: { readonly object: string } } }>>>
  >
}

/** The contracts of a network whose registry publishes masked studies too. Compiled here: where only nodes run, tests' contracts are not. */
export function withMaskedStudies(): (contract: string) => Artifact {
  const registry = compile()
  return (contract) => (contract === 'StudyRegistry' ? registry : readArtifact(contract))
}

function compile(): Artifact {
  const solc = createRequire(import.meta.url)('solc') as { compile(input: string, callbacks: { import(path: string): { contents: string } }): string }
  const read = (path: string) => readFileSync(join(ROOT, path.startsWith('@') ? 'node_modules' : '', path), 'utf8')
  const input = {
    language: 'Solidity',
    sources: { [HARNESS]: { content: read(HARNESS) } },
    settings: { evmVersion: 'cancun', optimizer: { enabled: true }, outputSelection: { '*': { MaskedRegistry: ['abi', 'evm.bytecode.object'] } } },
  }
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: (path) => ({ contents: read(path) }) })) as Output
  const made = output.contracts?.[HARNESS]?.MaskedRegistry
  if (made === undefined) throw new Error(output.errors?.map((error) => error.formattedMessage).join('\n'))
  return { abi: made.abi, bytecode: `0x${made.evm.bytecode.object}` }
}
