import solc from 'solc'

const HEAD = '// SPDX-License-Identifier: Apache-2.0\npragma solidity 0.8.37;\n'

/** The path of every sample, and a contract with one function of this body. */
export const SAMPLE = 'contracts/deep/Sample.sol'

/** @param kind of the function, such as `pure` */
export const sampleOf = (body: string, kind = 'pure'): string =>
  `${HEAD}contract Sample { function f(bool a, bool b, uint256 n) external ${kind} returns (uint256 z) {\n${body}\n} }\n`

export const filesOf = (source: string): Map<string, string> => new Map([[SAMPLE, source]])

/** What solc says against sources; empty when they compile. */
export function faultsOf(sources: ReadonlyMap<string, string>): string[] {
  const input = {
    language: 'Solidity',
    sources: Object.fromEntries([...sources].map(([file, content]) => [file, { content }])),
    settings: { evmVersion: 'cancun', optimizer: { enabled: true, runs: 1_000 }, outputSelection: { '*': { '*': ['evm.bytecode.object'] } } },
  }
  const { errors = [] } = JSON.parse(solc.compile(JSON.stringify(input))) as { errors?: { severity: string; formattedMessage: string }[] }
  return errors.filter(({ severity }) => severity === 'error').map(({ formattedMessage }) => formattedMessage)
}
