import { createRequire } from 'node:module'
import hardhatToolboxMochaEthers from '@nomicfoundation/hardhat-toolbox-mocha-ethers'
import { HDNodeWallet } from 'ethers'
import { defineConfig } from 'hardhat/config'

const require = createRequire(import.meta.url)

/** Hardhat's own accounts. It would stretch the phrase to a seed for each one anew, in 10 ms. */
function accounts(count: number) {
  const root = HDNodeWallet.fromPhrase('test test test test test test test test test test test junk', '', "m/44'/60'/0'/0")
  return Array.from({ length: count }, (_, i) => ({ privateKey: root.deriveChild(i).privateKey, balance: 10_000n * 10n ** 18n }))
}

/** The compiler comes from npm: nothing is downloaded, so contracts compile with no network. */
export default defineConfig({
  plugins: [hardhatToolboxMochaEthers],
  solidity: {
    version: '0.8.37',
    path: require.resolve('solc/soljson.js'),
    preferWasm: true,
    // Besu, anvil and Hardhat all run cancun; solc's default is newer.
    settings: { evmVersion: 'cancun', viaIR: false, optimizer: { enabled: true, runs: 700 }, metadata: { bytecodeHash: 'none' } },
  },
  typechain: { dontOverrideCompile: true },
  paths: {
    sources: './contracts',
    tests: { solidity: './test/contracts', mocha: './test/contracts' },
    artifacts: './.cache/artifacts',
    cache: './.cache/hardhat',
  },
  networks: {
    // The default hardfork has the costlier calldata floor.
    // Blocks are wide, so that the base fee of instrumented code does not climb out of reach.
    default: { type: 'edr-simulated', chainType: 'l1', hardfork: 'cancun', accounts: accounts(100), blockGasLimit: 1_000_000_000 },
  },
  test: {
    mocha: { timeout: 120_000 },
    solidity: {
      fuzz: { runs: 256, seed: '0x526f7461' },
      invariant: { runs: 32, depth: 64, failOnRevert: false },
    },
  },
})
