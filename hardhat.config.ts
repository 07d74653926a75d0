import { createRequire } from 'node:module'
import hardhatToolboxMochaEthers from '@nomicfoundation/hardhat-toolbox-mocha-ethers'
import { defineConfig } from 'hardhat/config'

const require = createRequire(import.meta.url)

/** The compiler comes from npm: nothing is downloaded, so contracts compile with no network. */
export default defineConfig({
  plugins: [hardhatToolboxMochaEthers],
  solidity: {
    version: '0.8.37',
    path: require.resolve('solc/soljson.js'),
    preferWasm: true,
    // Besu, anvil and Hardhat all run cancun; solc's default is newer.
    settings: { evmVersion: 'cancun', viaIR: false, optimizer: { enabled: true, runs: 1_000 }, metadata: { bytecodeHash: 'none' } },
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
    default: { type: 'edr-simulated', chainType: 'l1', hardfork: 'cancun', accounts: { count: 100 }, blockGasLimit: 1_000_000_000 },
  },
  test: {
    mocha: { timeout: 120_000 },
    solidity: {
      fuzz: { runs: 256, seed: '0x526f7461' },
      invariant: { runs: 32, depth: 64, failOnRevert: false },
    },
  },
})
