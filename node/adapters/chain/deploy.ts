import { Interface } from 'ethers'
import { type Address, address } from '#base/ids.ts'
import type { ContractName } from './abi.ts'
import { type Artifact, readArtifact } from './artifacts.ts'
import type { Endpoint } from './link.ts'
import type { SiteDetails } from './membership.ts'
import { openSender } from './sender.ts'

export interface Deployment {
  /** RotaDirectory: all that a node needs to be told. */
  readonly directory: Address
}

/** Enough for the largest contract; a block holds 30 million on the chains we know. */
const DEPLOY_GAS = 12_000_000
const FOUNDER_GAS = 1_000_000
const BLOCK_GAS = 28_000_000

/** Who is named in whose constructor; the coordinator makes the ModelLedger itself. */
const ORDER = ['SiteRegistry', 'StudyRegistry', 'RoundCoordinator', 'ConsentRegistry', 'AuditLog', 'RotaDirectory'] as const satisfies readonly ContractName[]
const NAMED: Readonly<Record<string, (typeof ORDER)[number]>> = {
  sites: 'SiteRegistry',
  studies: 'StudyRegistry',
  coordinator: 'RoundCoordinator',
  consents: 'ConsentRegistry',
  audits: 'AuditLog',
}

/**
 * Puts a network's contracts on a chain. The deploying account keeps no right over them: a key made for this once will do.
 * @param deployer private key, 0x-hex
 * @throws ROTA-1311 when the contracts are not compiled; ROTA-5xxx when the chain or a constructor refuses
 */
export async function deployNetwork(
  endpoint: Endpoint,
  founders: readonly SiteDetails[],
  deployer: string,
  read: (name: string) => Artifact = readArtifact,
): Promise<Deployment> {
  const artifacts = ORDER.map((name) => [name, read(name)] as const)
  const sender = openSender(endpoint, deployer)
  const deployed = new Map<string, Address>()
  for (const [name, { abi, bytecode }] of artifacts) {
    const contract = new Interface(abi)
    const args = contract.deploy.inputs.map((input) => (input.name === 'founders' ? founders : deployed.get(NAMED[input.name.replace(/_$/, '')] ?? '')))
    const gas = name === 'SiteRegistry' ? Math.min(DEPLOY_GAS + founders.length * FOUNDER_GAS, BLOCK_GAS) : DEPLOY_GAS
    const receipt = await sender.send(null, bytecode + contract.encodeDeploy(args).slice(2), gas)
    deployed.set(name, address(receipt.contractAddress ?? ''))
  }
  return { directory: deployed.get('RotaDirectory') as Address }
}
