import { connectChain, type EthersReader } from '#adapters/chain/ethers-chain.ts'
import type { SiteConfig } from '#app/site/config.ts'
import { RotaError } from '#base/errors.ts'
import { type Address, address } from '#base/ids.ts'

/** How a config's chain is reached, and what of it counts. */
export const endpointsOf = (config: Pick<SiteConfig, 'chain' | 'chainWitness'> & Partial<SiteConfig>) => ({
  url: config.chain,
  ...(config.chainFinality === undefined ? {} : { finality: config.chainFinality }),
  ...(config.chainWitness === undefined ? {} : { witness: config.chainWitness }),
})

/**
 * A network's contracts, to look at and change nothing, for the length of `work`.
 * @param where a site's whole config: then its finality and its second endpoint hold for this look too
 * @throws ROTA-1205 no address, 5xxx the chain
 */
export async function withReader<T>(
  where: Pick<SiteConfig, 'chain' | 'contracts'> & Partial<SiteConfig>,
  signal: AbortSignal,
  work: (chain: EthersReader) => Promise<T>,
): Promise<T> {
  const chain = await connectChain({ ...endpointsOf(where), contracts: contractsAddress(where.contracts), signer: null, signal })
  try {
    return await work(chain)
  } finally {
    await chain.stop()
  }
}

/** @throws ROTA-1205 when it is no address */
export function contractsAddress(text: string): Address {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) throw new RotaError('ROTA-1205', { kind: 'contracts address', name: text, command: 'rota network show' })
  return address(text)
}
