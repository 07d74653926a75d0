import { network } from 'hardhat'
import { decodeEvents } from '#adapters/chain/decode-event.ts'
import { deployNetwork } from '#adapters/chain/deploy.ts'
import { depthOf } from '#adapters/chain/depth.ts'
import { type Endpoint, interfaces, type Link, linkTo } from '#adapters/chain/link.ts'
import type { SiteDetails } from '#adapters/chain/membership.ts'
import { revertError } from '#adapters/chain/reverts.ts'
import { type RawLog, type Rpc, RpcError } from '#adapters/chain/rpc.ts'
import { runView, type Struct, studyRecord } from '#adapters/chain/views.ts'
import { type Address, address, digest } from '#base/ids.ts'
import type { ChainEvent, RunView, StudyRecord } from '#ports/chain.ts'
import type { Act, Outcome, Pause } from './act.ts'

/** The Solidity contracts on Hardhat's chain in this process. */
export interface EvmSide {
  readonly accounts: readonly Address[]
  deploy(founders: readonly SiteDetails[]): Promise<EvmNetwork>
  head(): Promise<{ readonly number: number; readonly timestamp: number }>
  snapshot(): Promise<string>
  restore(snapshot: string): Promise<void>
  stop(): Promise<void>
}

export interface EvmNetwork {
  readonly link: Link
  act(act: Act): Promise<Outcome>
  hashOf(block: number): Promise<string>
  pause(pause: Pause): Promise<void>
  events(fromBlock: number): Promise<readonly Omit<ChainEvent, 'tx'>[]>
  run(run: number): Promise<RunView>
  study(study: number): Promise<StudyRecord>
}

const GAS = '0x989680'
const DEPLOYER = `0x${'d0'.repeat(32)}`

export async function openEvmSide(): Promise<EvmSide> {
  const connection = await network.create({ override: { initialBaseFeePerGas: 0n } })
  const request = async <T>(method: string, params: readonly unknown[] = []): Promise<T> =>
    (await connection.provider.request({ method, params: [...params] })) as T
  const rpc = rpcOver(request)
  const endpoint: Endpoint = {
    rpc,
    depth: depthOf(rpc, 'http://in-process', 'instant', false),
    url: 'http://in-process',
    chainId: BigInt(await request<string>('eth_chainId')),
    genesis: digest(`0x${'00'.repeat(32)}`),
  }
  const clock: Clock = { timestamp: null }
  return {
    accounts: (await request<string[]>('eth_accounts')).map(address),
    deploy: async (founders) => networkOn(await linkTo(endpoint, (await deployNetwork(endpoint, founders, DEPLOYER)).directory), request, clock),
    head: () => head(request),
    snapshot: () => request('evm_snapshot'),
    async restore(snapshot) {
      await request('evm_revert', [snapshot])
      clock.timestamp = null
    },
    stop: () => connection.close(),
  }
}

type Request = <T>(method: string, params?: readonly unknown[]) => Promise<T>

async function head(request: Request): Promise<{ number: number; timestamp: number }> {
  const block = await request<{ number: string; timestamp: string }>('eth_getBlockByNumber', ['latest', false])
  return { number: Number(block.number), timestamp: Number(block.timestamp) }
}

/** Time of the last block; null: ask. */
interface Clock {
  timestamp: number | null
}

/** Every block's time is set, so that the wall clock decides nothing: one second after the block before it, or at the end of a pause. */
function networkOn(link: Link, request: Request, clock: Clock): EvmNetwork {
  const { addresses } = link
  const next = async (seconds: number): Promise<void> => {
    clock.timestamp = (clock.timestamp ?? (await head(request)).timestamp) + seconds
    await request('evm_setNextBlockTimestamp', [clock.timestamp])
  }
  return {
    link,
    async act({ sender, contract, method, args }) {
      await next(1)
      const tx = { from: sender, to: addresses[contract], data: interfaces[contract].encodeFunctionData(method, args), gas: GAS, gasPrice: '0x0' }
      return request('eth_sendTransaction', [tx]).then(() => null, outcomeOf)
    },
    hashOf: async (block) => (await request<{ hash: string }>('eth_getBlockByNumber', [`0x${block.toString(16)}`, false])).hash,
    async pause({ seconds, blocks }) {
      for (let i = 1; i <= blocks; i++) {
        await next(i === blocks ? Math.max(1, seconds - (blocks - 1)) : 1)
        await request('evm_mine')
      }
    },
    async events(fromBlock) {
      const filter = { fromBlock: `0x${fromBlock.toString(16)}`, toBlock: 'latest', address: Object.values(addresses) }
      return (await request<RawLog[]>('eth_getLogs', [filter])).flatMap((log) => eventOf(link, log))
    },
    run: async (run) => runView((await link.view('RoundCoordinator', 'run', [run])) as Struct),
    study: async (study) => studyRecord((await link.view('StudyRegistry', 'study', [study])) as Struct),
  }
}

function eventOf(link: Link, log: RawLog): readonly Omit<ChainEvent, 'tx'>[] {
  for (const [name, at] of Object.entries(link.addresses)) {
    if (at !== log.address) continue
    const place = { block: Number(log.blockNumber), index: 0, timestamp: Number(log.blockTimestamp ?? 0) }
    return decodeEvents(name as keyof typeof interfaces, log).map((body) => ({ ...place, ...body }))
  }
  return []
}

function outcomeOf(error: unknown): Outcome {
  const raw = error as { code?: number; message?: string; data?: unknown }
  const refused = revertError(new RpcError('eth_sendTransaction', raw))
  const { error: name, ...details } = refused.details
  return { error: String(name), details }
}

/** Hardhat's provider in the shape that the adapter uses. */
function rpcOver(request: Request): Rpc {
  return {
    pushes: false,
    call: <T>(method: string, params: readonly unknown[]) =>
      request<T>(method, params).catch((error) => {
        throw new RpcError(method, error)
      }),
    onLog: () => () => {},
    onReconnect: () => () => {},
    watch: async () => {},
    stop: async () => {},
  }
}
