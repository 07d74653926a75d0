import { Interface } from 'ethers'
import { isRotaError, RotaError } from '#base/errors.ts'
import { type Address, address, type Digest, digest } from '#base/ids.ts'
import { ABI, type ContractName, VERSION } from './abi.ts'
import { decodeResult } from './decode-result.ts'
import { type Depth, depthOf, type Finality } from './depth.ts'
import { openHttpRpc } from './http-rpc.ts'
import { revertError } from './reverts.ts'
import { isRevert, type Rpc, RpcError, withoutSecrets } from './rpc.ts'
import { witnessed } from './witness-rpc.ts'
import { openWsRpc } from './ws-rpc.ts'

/** One endpoint, checked to be the chain that it should be, with the network's contracts on it. */
export interface Link {
  readonly rpc: Rpc
  readonly url: string
  readonly chainId: bigint
  readonly genesis: Digest
  readonly addresses: Readonly<Record<ContractName, Address>>
  readonly deployedAtBlock: number
  readonly depth: Depth
  /** A view function of a contract, as of the newest block that counts. @throws ROTA-5xxx with the contract's own error */
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
  /** When a block counts. Default: instant. */
  readonly finality?: Finality
  /** Another endpoint of the same chain: nothing counts that it does not say too. */
  readonly witness?: string
  readonly signal?: AbortSignal
}

export interface Endpoint {
  readonly rpc: Rpc
  readonly url: string
  readonly chainId: bigint
  readonly genesis: Digest
  readonly depth: Depth
}

export const interfaces: Readonly<Record<ContractName, Interface>> = Object.fromEntries(
  Object.entries(ABI).map(([name, lines]) => [name, new Interface(lines)]),
) as Record<ContractName, Interface>

/** @throws ROTA-5001 nobody answers, ROTA-5004 another chain id, ROTA-5005 another genesis, ROTA-5013 no finalized blocks */
export async function openEndpoint(options: EndpointOptions): Promise<Endpoint> {
  const rpc = openBoth(options)
  const stop = () => void rpc.all.stop()
  options.signal?.addEventListener('abort', stop, { once: true })
  const url = withoutSecrets(options.url)
  try {
    const found = await identify(rpc.first, url, options)
    if (rpc.second !== null) await identify(rpc.second, withoutSecrets(options.witness ?? ''), found)
    const depth = depthOf(rpc.all, url, options.finality ?? 'instant', rpc.second !== null)
    if (!depth.newest) await depth.number()
    return { rpc: rpc.all, url, ...found, depth }
  } catch (error) {
    await rpc.all.stop()
    throw options.signal?.aborted ? options.signal.reason : error
  } finally {
    options.signal?.removeEventListener('abort', stop)
  }
}

function openBoth({ url, witness, callLimitMs }: EndpointOptions): { readonly first: Rpc; readonly second: Rpc | null; readonly all: Rpc } {
  const first = openRpc(url, callLimitMs)
  if (witness === undefined) return { first, second: null, all: first }
  const second = openRpc(witness, callLimitMs)
  return { first, second, all: witnessed({ first: { rpc: first, url }, second: { rpc: second, url: witness } }) }
}

/** Which chain this is. @throws ROTA-5001, ROTA-5004, ROTA-5005, ROTA-5016 */
async function identify(
  rpc: Rpc,
  url: string,
  expected: { readonly chainId?: bigint; readonly genesis?: Digest },
): Promise<{ chainId: bigint; genesis: Digest }> {
  const [chainId, genesis] = await Promise.all([
    rpc.call<string>('eth_chainId', []).then(BigInt),
    rpc.call<{ hash: string }>('eth_getBlockByNumber', ['0x0', false]).then((first) => digest(first.hash)),
  ]).catch((error) => {
    throw asAnswered(error, url)
  })
  if (expected.chainId !== undefined && expected.chainId !== chainId) throw new RotaError('ROTA-5004', { url, chainId, expected: expected.chainId })
  if (expected.genesis !== undefined && expected.genesis !== genesis) throw new RotaError('ROTA-5005', { url, genesis, expected: expected.genesis })
  return { chainId, genesis }
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
  // Where two endpoints are compared, where the contracts are is compared too; how deep they lie does not matter.
  const at = endpoint.depth.newest ? 'latest' : await endpoint.rpc.call<string>('eth_blockNumber', [])
  const ask = async (method: string): Promise<unknown> => {
    const found = await callView(endpoint, interfaces.RotaDirectory, directory, method, [], at).catch((error) => {
      if (error instanceof RotaError && error.reaction === 'retry' && !isNothing(error)) throw error
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
    PrivacyLedger: address(found.privacy ?? ''),
  }
  const deployedAtBlock = Number(found.deployedAtBlock)
  if (!endpoint.depth.newest) await endpoint.depth.reach(deployedAtBlock)
  return {
    ...endpoint,
    addresses,
    deployedAtBlock,
    view: async (contract, method, args) => callView(endpoint, interfaces[contract], addresses[contract], method, args, await endpoint.depth.tag()),
  }
}

const openRpc = (url: string, callLimitMs: number | undefined): Rpc => {
  if (/^wss?:\/\//.test(url)) return openWsRpc(url, callLimitMs)
  if (/^https?:\/\//.test(url)) return openHttpRpc(url, callLimitMs)
  throw new RotaError('ROTA-5008', { url: withoutSecrets(url) })
}

async function callView({ rpc, url }: Endpoint, abi: Interface, to: Address, method: string, args: readonly unknown[], at: string): Promise<unknown> {
  const data = abi.encodeFunctionData(method, args)
  const raw = await rpc.call<string>('eth_call', [{ to, data }, at]).catch((error) => {
    throw error instanceof RpcError && isRevert(error) ? revertError(error) : asAnswered(error, url)
  })
  // Where the contracts were found before, it is the endpoint that has lost them for a while.
  if (raw === '0x') throw new RotaError('ROTA-5016', { url, error: NOTHING })
  try {
    const results = decodeResult(abi.getFunction(method)?.outputs ?? [], raw)
    return results.length === 1 ? results[0] : results
  } catch (error) {
    throw asAnswered(error, url)
  }
}

const NOTHING = 'no contract there'
const isNothing = ({ details }: RotaError): boolean => details.error === NOTHING

/** Nothing that an endpoint answers may end a node: what is no error of the catalogue was an answer that could not be used. */
export const asAnswered = (error: unknown, url: string): RotaError =>
  isRotaError(error) ? error : new RotaError('ROTA-5016', { url, error: error instanceof Error ? error.message.slice(0, 200) : 'unknown' }, error)
