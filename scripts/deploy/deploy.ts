/**
 * Puts the contracts of a new network on a chain:
 *
 *   node scripts/deploy/deploy.ts --chain ws://127.0.0.1:8545 --founders founders.json [--key-file FILE]
 *
 * founders.json: [ { name, node, steward, recovery, peerId, encryptionKey, multiaddrs }, … ]. Without a key file the transactions are
 * signed by a key made for this once, which works on chains with base fee 0. Prints the directory's address.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { hexlify, randomBytes } from 'ethers'
import { deployNetwork } from '#adapters/chain/deploy.ts'
import { openEndpoint } from '#adapters/chain/link.ts'
import type { SiteDetails } from '#adapters/chain/membership.ts'
import { RotaError } from '#base/errors.ts'

const { values } = parseArgs({ options: { chain: { type: 'string' }, founders: { type: 'string' }, 'key-file': { type: 'string' } } })

async function main(): Promise<void> {
  if (values.chain === undefined || values.founders === undefined) throw new Error('usage: deploy.ts --chain URL --founders FILE [--key-file FILE]')
  const founders = JSON.parse(readFileSync(values.founders, 'utf8')) as SiteDetails[]
  const key = values['key-file'] === undefined ? hexlify(randomBytes(32)) : readFileSync(values['key-file'], 'utf8').trim()
  const endpoint = await openEndpoint({ url: values.chain })
  try {
    console.log((await deployNetwork(endpoint, founders, key)).directory)
  } finally {
    await endpoint.rpc.stop()
  }
}

main().catch((error) => {
  console.error(error instanceof RotaError ? `${error.code}: ${error.message}. ${error.remedy}` : error instanceof Error ? error.message : error)
  process.exitCode = 1
})
