import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { decodeRlp } from 'ethers'
import { parse } from 'yaml'
import { ARTIFACTS_DIR } from '#adapters/chain/artifacts.ts'

// given the files of docs/chain, which a consortium copies
// ├── genesis files hold what docs/chain.md says, for as many validators as their names say
// ├── extraData is the list of the addresses beside it
// ├── no rule later than those that the contracts are compiled for, and room for each of them
// ├── the compose file says what the page says, opens no endpoint to the network, and mounts what is there
// └── the page's numbers are those of the files

const CHAIN = new URL('../../../docs/chain/', import.meta.url)
const textOf = (name: string) => readFile(new URL(name, CHAIN), 'utf8')
const page = await readFile(new URL('../chain.md', CHAIN), 'utf8')

interface Genesis {
  readonly config: Record<string, unknown> & { readonly chainId: number; readonly qbft: Record<string, number> }
  readonly gasLimit: string
  readonly extraData: string
  readonly [item: string]: unknown
}
const genesisOf = async (validators: number) => JSON.parse(await textOf(`genesis-${validators}.json`)) as Genesis

interface Artifact {
  readonly contractName: string
  readonly deployedBytecode?: string
}

/** As many as may fail or lie while the rest still agrees. */
const bears = (validators: number) => Math.floor((validators - 1) / 3)
const mustAgree = (validators: number) => Math.ceil((2 * validators) / 3)

describe("a consortium's files", () => {
  for (const count of [4, 7]) {
    it(`genesis-${count}.json starts a free chain of ${count} validators at cancun`, async () => {
      const { config, gasLimit, extraData, difficulty, mixHash, alloc } = await genesisOf(count)
      const { qbft, ...rest } = config
      assert.deepEqual(rest, { chainId: 7042, berlinBlock: 0, londonBlock: 0, shanghaiTime: 0, cancunTime: 0, zeroBaseFee: true, contractSizeLimit: 24_576 })
      assert.deepEqual(Object.keys(qbft), ['blockperiodseconds', 'epochlength', 'requesttimeoutseconds'])
      assert.ok(Number(gasLimit) >= 30_000_000)
      assert.deepEqual([difficulty, alloc], ['0x1', {}])
      // What the clients of this family look for.
      assert.equal(Buffer.from(String(mixHash).slice(2), 'hex').toString(), 'ctical byzantine fault tolerance')
      const validators = JSON.parse(await textOf(`validators-${count}.json`)) as string[]
      assert.equal(new Set(validators).size, count)
      assert.deepEqual(validators, [...validators].sort())
      assert.deepEqual(decodeRlp(extraData), [`0x${'00'.repeat(32)}`, validators, [], '0x', []])
    })

    it(`the page tells what ${count} validators bear`, () => {
      assert.match(page, new RegExp(`\\| ${count} \\| ${mustAgree(count)} \\| ${bears(count)} \\|`))
    })
  }

  it('leave room for every contract', async () => {
    const { config } = await genesisOf(4)
    const files = (await readdir(`${ARTIFACTS_DIR}/contracts`, { recursive: true })).filter((file) => file.endsWith('.json'))
    const sizes = new Map<string, number>()
    for (const file of files) {
      const { contractName, deployedBytecode } = JSON.parse(await readFile(`${ARTIFACTS_DIR}/contracts/${file}`, 'utf8')) as Artifact
      sizes.set(contractName, ((deployedBytecode ?? '').length - 2) / 2)
    }
    for (const name of ['RoundCoordinator', 'MaskedRounds', 'LeafJudge', 'PrivacyLedger', 'RotaDirectory']) assert.ok((sizes.get(name) ?? 0) > 100, name)
    for (const [name, bytes] of sizes) assert.ok(bytes <= Number(config.contractSizeLimit), `${name}: ${bytes} bytes`)
  })

  it('are compiled for the rules that hold from the first block', async () => {
    const hardhat = await readFile(new URL('../../hardhat.config.ts', CHAIN), 'utf8')
    assert.match(hardhat, /evmVersion: 'cancun'/)
  })

  it('compose.yaml runs one validator, and opens to the network no more than its port', async () => {
    const { services } = parse(await textOf('compose.yaml')) as { services: { besu: { command: string[]; ports: string[]; volumes: string[] } } }
    const { command, ports, volumes } = services.besu
    const options = new Map(command.map((option) => option.split('=', 2) as [string, string]))
    assert.deepEqual([options.get('--min-gas-price'), options.get('--discovery-enabled'), options.get('--sync-mode')], ['0', 'false', 'FULL'])
    assert.equal(Number(options.get('--target-gas-limit')), Number((await genesisOf(4)).gasLimit))
    assert.ok(!command.some((option) => option.startsWith('--tx-pool-price-bump')), 'refused together with zeroBaseFee')
    assert.ok(options.get('--rpc-ws-api')?.split(',').includes('ETH'))
    const open = ports.filter((port) => !port.startsWith('127.0.0.1:'))
    assert.deepEqual(open, [`${options.get('--p2p-port')}:${options.get('--p2p-port')}`])
    const here = await readdir(CHAIN)
    const mounted = volumes.filter((volume) => volume.startsWith('./')).map((volume) => volume.slice(2, volume.indexOf(':')))
    // The genesis file is one of the two, the key is made on the spot.
    assert.deepEqual(mounted.filter((name) => !here.includes(name)).sort(), ['genesis.json', 'key'])
  })

  it('static nodes and the allow-list name the same validators', async () => {
    const nodes = JSON.parse(await textOf('static-nodes.json')) as string[]
    const allowed = [...(await textOf('permissions_config.toml')).matchAll(/^ {2}"(enode:[^"]+)",?$/gm)].map(([, node]) => node)
    assert.deepEqual(allowed, nodes)
  })

  it('have the numbers that the page tells', async () => {
    const [four, seven] = [await genesisOf(4), await genesisOf(7)]
    const row = (item: string) => page.split('\n').find((line) => line.startsWith(`| ${item}`)) ?? assert.fail(`no row of ${item}`)
    assert.ok(row('`chainId`').includes(`| ${four.config.chainId} |`))
    assert.ok(row('`zeroBaseFee`').includes('`true`'))
    assert.ok(row('`contractSizeLimit`').includes(`| ${four.config.contractSizeLimit} |`))
    assert.ok(row('`gasLimit`').includes(`\`${four.gasLimit}\`: ${Number(four.gasLimit) / 1e6} million`))
    const period = [four, seven].map(({ config }) => config.qbft.blockperiodseconds)
    assert.ok(row('`qbft.blockperiodseconds`').includes(`${period[0]} with four validators, ${period[1]} with seven`))
    const timeout = [four, seven].map(({ config }) => config.qbft.requesttimeoutseconds)
    assert.ok(row('`qbft.requesttimeoutseconds`').includes(`| ${timeout[0]} and ${timeout[1]} |`))
    assert.ok(row('`qbft.epochlength`').includes(`| ${four.config.qbft.epochlength} |`))
    assert.equal(four.gasLimit, seven.gasLimit)
  })
})
