import { Interface } from 'ethers'
import { RotaError } from '#base/errors.ts'
import { type Address, address, type Digest, digest } from '#base/ids.ts'
import { ABI, type ContractName, VERSION } from './abi.ts'
import { openHttpRpc } from './http-rpc.ts'
import { revertError } from './reverts.ts'
import { type Rpc, RpcError, withoutSecrets } from './rpc.ts'
import { openWsRpc } from './ws-rpc.ts'

/** One endpoint, checked to be the chain that it should be, with the network's contracts on it. */
export interface Link {
  readonly rpc: Rpc
  readonly url: string
  readonly chainId: bigint
  readonly genesis: Digest
  readonly addresses: Readonly<Record<ContractName, Address>>
  readonly deployedAtBlock: number
  /** A view function of a contract, as of the newest block. @throws ROTA-5xxx with the contract's own error */
  view(contract: ContractName, method: string, args: readonly unknown[]): Promise<unknown>
}

export interface EndpointOptions {
  /** ws:// or wss:// for nodes; http:// and https:// do for readers. */
  readonly url: string
  /** Refuses another chain. */
  readonly chainId?: bigint
  /** Refuses another first block: a chain that was made anew under the same id. */
  readonly genesis?: Digest
  /** How long a call may wait for an endpoint that is away. Default 20 s. */
  readonly callLimitMs?: number
  readonly signal?: AbortSignal
}

export interface Endpoint {
  readonly rpc: Rpc
  readonly url: string
  readonly chainId: bigint
  readonly genesis: Digest
}

export const interfaces: Readonly<Record<ContractName, Interface>> = Object.fromEntries(
  Object.entries(ABI).map(([name, lines]) => [name, new Interface(lines)]),
) as Record<ContractName, Interface>

/** @throws ROTA-5001 nobody answers, ROTA-5004 another chain id, ROTA-5005 another genesis */
export async function openEndpoint(options: EndpointOptions): Promise<Endpoint> {
  const rpc = openRpc(options.url, options.callLimitMs)
  const stop = () => void rpc.stop()
  options.signal?.addEventListener('abort', stop, { once: true })
  try {
    const [chainId, first] = await Promise.all([
      rpc.call<string>('eth_chainId', []).then(BigInt),
      rpc.call<{ hash: string }>('eth_getBlockByNumber', ['0x0', false]),
    ])
    const genesis = digest(first.hash)
    const url = withoutSecrets(options.url)
    if (options.chainId !== undefined && options.chainId !== chainId) throw new RotaError('ROTA-5004', { url, chainId, expected: options.chainId })
    if (options.genesis !== undefined && options.genesis !== genesis) throw new RotaError('ROTA-5005', { url, genesis, expected: options.genesis })
    return { rpc, url, chainId, genesis }
  } catch (error) {
    await rpc.stop()
    throw options.signal?.aborted ? options.signal.reason : error
  } finally {
    options.signal?.removeEventListener('abort', stop)
  }
}

/**
 * @param directory address of the network's RotaDirectory
 * @throws as openEndpoint; ROTA-5006 when no Rota contracts are there, ROTA-5007 when they are of another version
 */
export async function openLink(options: EndpointOptions & { readonly contracts: Address }): Promise<Link> {
  const endpoint = await openEndpoint(options)
  try {
    return await linkTo(endpoint, options.contracts)
  } catch (error) {
    await endpoint.rpc.stop()
    throw error
  }
}

export async function linkTo(endpoint: Endpoint, directory: Address): Promise<Link> {
  const ask = async (method: string): Promise<unknown> => {
    const found = await callView(endpoint.rpc, interfaces.RotaDirectory, directory, method, []).catch((error) => {
      if (error instanceof RotaError && error.reaction === 'retry') throw error
      throw new RotaError('ROTA-5006', { url: endpoint.url, address: directory }, error)
    })
    return found
  }
  const version = await ask('version')
  if (version !== VERSION) throw new RotaError('ROTA-5007', { version: String(version), known: VERSION })
  const found = (await ask('addresses')) as Record<string, string> & { deployedAtBlock: bigint }
  const addresses = {
    RotaDirectory: directory,
    SiteRegistry: address(found.sites ?? ''),
    StudyRegistry: address(found.studies ?? ''),
    RoundCoordinator: address(found.coordinator ?? ''),
    ConsentRegistry: address(found.consents ?? ''),
    ModelLedger: address(found.models ?? ''),
    AuditLog: address(found.audits ?? ''),
  }
  return {
    ...endpoint,
    addresses,
    deployedAtBlock: Number(found.deployedAtBlock),
    view: (contract, method, args) => callView(endpoint.rpc, interfaces[contract], addresses[contract], method, args),
  }
}

const openRpc = (url: string, callLimitMs: number | undefined): Rpc => {
  if (/^wss?:\/\//.test(url)) return openWsRpc(url, callLimitMs)
  if (/^https?:\/\//.test(url)) return openHttpRpc(url, callLimitMs)
  throw new RotaError('ROTA-5008', { url: withoutSecrets(url) })
}

async function callView(rpc: Rpc, abi: Interface, to: Address, method: string, args: readonly unknown[]): Promise<unknown> {
  const data = abi.encodeFunctionData(method, args)
  const raw = await rpc.call<string>('eth_call', [{ to, data }, 'latest']).catch((error) => {
    throw error instanceof RpcError ? revertError(error) : error
  })
  if (raw === '0x') throw new RotaError('ROTA-5006', { url: 'the chain', address: to })
  const results = abi.decodeFunctionResult(method, raw)
  return results.length === 1 ? results[0] : results
}
