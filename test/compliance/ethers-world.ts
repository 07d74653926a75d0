/** A chain, the contracts on it, and a node's connection for each founder: the world of the chain suites. */
import { AbiCoder, computeAddress, id, keccak256, TypedDataEncoder, Wallet } from 'ethers'
import { deployNetwork } from '#adapters/chain/deploy.ts'
import { connectChain, type EthersChain } from '#adapters/chain/ethers-chain.ts'
import { type EndpointOptions, openEndpoint } from '#adapters/chain/link.ts'
import type { SiteDetails } from '#adapters/chain/membership.ts'
import { studyDesk } from '#adapters/chain/studies.ts'
import { type DevChain, type DevChainOptions, startAnvil } from '#adapters/devchain/anvil.ts'
import { jsonRpc } from '#adapters/devchain/machine.ts'
import { type Address, address, type Digest, digest, type SiteId } from '#base/ids.ts'
import type { ChainWorld } from './chain.ts'

export type KeyRole = 'node' | 'steward' | 'recovery'

/** Keys of tests come from their names: the same world each time. */
export const keyOf = (site: number, role: KeyRole): string => id(`site ${site} ${role}`)
export const accountOf = (site: number, role: KeyRole): Address => address(computeAddress(keyOf(site, role)))

export const detailsOf = (site: number): SiteDetails => ({
  name: `hospital ${site}`,
  node: accountOf(site, 'node'),
  steward: accountOf(site, 'steward'),
  recovery: accountOf(site, 'recovery'),
  peerId: `peer ${site}`,
  encryptionKey: digest(id(`encryption ${site}`)),
  multiaddrs: [`/ip4/127.0.0.1/tcp/${4_000 + site}`],
})

export interface EthersWorld extends ChainWorld {
  readonly chains: readonly EthersChain[]
  readonly contracts: Address
}

export type EndpointsOf = Pick<EndpointOptions, 'url' | 'witness' | 'finality'>

/** What the world needs of the chain beneath it. */
export interface Ground {
  readonly url: string
  /** How the sites reach it; default: at `url`. */
  readonly endpoints?: EndpointsOf
  /** One call for the chain's owner alone, as to set its clock. */
  control(method: string, params: readonly unknown[]): Promise<unknown>
  stop(): Promise<void>
}

export async function worldOn(ground: Ground, sites: number): Promise<EthersWorld> {
  try {
    const contracts = await deployFor(ground.url, sites)
    const chains = await Promise.all(
      Array.from({ length: sites }, (_, site) => connectChain({ url: ground.url, ...ground.endpoints, contracts, signer: keyOf(site, 'node') })),
    )
    return { ...actsOn(chains, ground, contracts), chains, contracts }
  } catch (error) {
    await ground.stop()
    throw error
  }
}

export async function anvilWorld(sites: number, options: DevChainOptions = {}): Promise<EthersWorld & { readonly devChain: DevChain }> {
  const devChain = await startAnvil(options)
  const control = (method: string, params: readonly unknown[]) => jsonRpc(devChain.port, method, params)
  return { ...(await worldOn({ url: devChain.url, control, stop: devChain.stop }, sites)), devChain }
}

export async function deployFor(url: string, sites: number): Promise<Address> {
  const endpoint = await openEndpoint({ url })
  try {
    const founders = Array.from({ length: sites }, (_, site) => detailsOf(site))
    return (await deployNetwork(endpoint, founders, id('deployer'))).directory
  } finally {
    await endpoint.rpc.stop()
  }
}

const arithmeticVersion = digest(id('golden outputs'))

function actsOn(chains: readonly EthersChain[], ground: Ground, contracts: Address): Omit<ChainWorld, 'chains'> {
  const link = (chains[0] as EthersChain).link
  const steward = (site: number) => studyDesk(link, keyOf(site, 'steward'))
  let studies = 0
  return {
    async makeStudy({ limit, mode = 'open', members = chains.length, policy, ...numbers }) {
      const protocol = digest(id(`protocol ${++studies}`))
      const rules = { ...numbers, wordBits: 64, slices: 1, mode, limits: Array.from({ length: 5 }, () => limit), arithmeticVersion } as const
      const study = await studyDesk(link, keyOf(0, 'node')).publish(protocol, digest(id('cid')), rules)
      if (policy !== undefined) await studyDesk(link, keyOf(0, 'node')).setPolicy(study, policy)
      await Promise.all(chains.slice(0, members).map((_, site) => steward(site).approve(study, protocol)))
      await (chains[0] as EthersChain).publishEpoch(study, 0, digest(id('key')), digest(id('bundle')))
      return study
    },
    withdrawSite: (site: SiteId, study) => steward(site).withdrawSite(study),
    approve: async (site, study) => steward(site).approve(study, (await (chains[0] as EthersChain).study(study)).protocolDigest),
    async advance(seconds, blocks) {
      await ground.control('evm_increaseTime', [seconds])
      await ground.control('hardhat_mine', [`0x${blocks.toString(16)}`])
    },
    signWithdrawal: (programme, blind) => signWithdrawal(link.chainId, link.addresses.ConsentRegistry, programme, blind),
    steward: () => connectChain({ url: ground.url, contracts, signer: keyOf(0, 'steward') }),
    async signAsOmbudsman(programme, tag) {
      const signature = signed(link.chainId, link.addresses.ConsentRegistry, OMBUDSMAN, 'OmbudsmanWithdraw', programme, tag)
      return { ombudsman: address(OMBUDSMAN.address), signature }
    },
    async stop() {
      await Promise.all(chains.map((chain) => chain.stop()))
      await ground.stop()
    },
  }
}

async function signWithdrawal(chainId: bigint, verifyingContract: Address, programme: Digest, blind: Digest) {
  const wallet = new Wallet(id(`patient ${blind}`))
  const patientKey = address(wallet.address)
  const tag = digest(keccak256(AbiCoder.defaultAbiCoder().encode(['bytes32'], [blind]) + patientKey.slice(2)))
  return { patientKey, signature: signed(chainId, verifyingContract, wallet, 'Withdraw', programme, tag), tag }
}

const OMBUDSMAN = new Wallet(id('ombudsman'))

function signed(chainId: bigint, verifyingContract: Address, wallet: Wallet, kind: string, programme: Digest, tag: Digest): string {
  const domain = { name: 'Rota', version: '1', chainId, verifyingContract }
  const types = {
    [kind]: [
      { name: 'programme', type: 'bytes32' },
      { name: 'tag', type: 'bytes32' },
    ],
  }
  return wallet.signingKey.sign(TypedDataEncoder.hash(domain, types, { programme, tag })).serialized
}
