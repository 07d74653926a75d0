/**
 * Writes node/adapters/chain/abi.ts from the compiled contracts, so that a node needs no compiler.
 * With --check it writes nothing and exits 1 when the file is not what it would write.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Interface } from 'ethers'
import { readArtifact } from '#adapters/chain/artifacts.ts'

export const ABI_FILE = join(import.meta.dirname, '../node/adapters/chain/abi.ts')

const CONTRACTS = ['RotaDirectory', 'SiteRegistry', 'StudyRegistry', 'RoundCoordinator', 'ConsentRegistry', 'ModelLedger', 'AuditLog', 'PrivacyLedger']

/** What abi.ts must read. @throws ROTA-1311 when a contract is not compiled */
export function abiSource(read: (contract: string) => { readonly abi: readonly object[] } = readArtifact): string {
  const entries = CONTRACTS.map((name) => {
    const lines = new Interface(read(name).abi).format().filter((line) => !line.startsWith('constructor'))
    return `  ${name}: [\n${lines
      .sort()
      .map((line) => `    '${line}',\n`)
      .join('')}  ],\n`
  })
  return `${HEADER}export const ABI = {\n${entries.join('')}} as const\n\nexport type ContractName = keyof typeof ABI\n`
}

const HEADER = `// Generated from contracts/ by scripts/generate-abi.ts; a test compares the two.

/** What RotaDirectory.version() says on a network that this node works with. */
export const VERSION = 'rota-contracts/7'

/** Functions, events and errors of each contract, in ethers' human-readable form. */
`

if (process.argv[1] === import.meta.filename) {
  const wanted = abiSource()
  if (!process.argv.includes('--check')) writeFileSync(ABI_FILE, wanted)
  else if (readFileSync(ABI_FILE, 'utf8') !== wanted) {
    console.error('node/adapters/chain/abi.ts differs from the contracts. Run: node scripts/generate-abi.ts')
    process.exitCode = 1
  }
}
