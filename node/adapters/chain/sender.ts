import { keccak256, Wallet } from 'ethers'
import { RotaError } from '#base/errors.ts'
import { type Address, address } from '#base/ids.ts'
import type { Depth } from './depth.ts'
import { failureOf, SHORT_OF_GAS } from './failure.ts'
import { readFees } from './fees.ts'
import { openGasRoom } from './gas-room.ts'
import { revertError } from './reverts.ts'
import { isRevert, type RawLog, type Rpc, RpcError } from './rpc.ts'

/** Signs and sends for one account. Several calls may be under way at once; they are mined in the order in which they were made. */
export interface Sender {
  readonly account: Address
  /**
   * Resolves when the transaction's block counts and its receipt can be read.
   * @param gasLimit fixed: an estimate made before the others' calls runs out of gas, when ours turns out to move the phase on. Where it is too
   * little on this chain, the call is sent again with twice as much
   * @throws ROTA-5xxx with the contract's own error, ROTA-5001, ROTA-5002, ROTA-5003, ROTA-5017 and ROTA-5018 when it may be tried again
   */
  send(to: Address | null, data: string, gasLimit: number): Promise<Receipt>
}

export interface Receipt {
  readonly status: string
  readonly blockNumber: string
  readonly blockHash: string
  readonly gasUsed: string
  readonly contractAddress: string | null
  readonly logs: readonly RawLog[]
}

/** So long a transaction may wait for its block. */
const MINED_LIMIT_MS = 60_000
/** How often an unmined transaction is sent again. */
const RESEND_MS = 2_000
/** A receipt may be there a moment after the number of its transaction is used. */
const LATE_RECEIPT_MS = 1_000
const TRIES = 5

interface Signed {
  readonly raw: string
  readonly hash: string
  readonly nonce: number
}

/** The transaction's number is used up or leaves a gap: it has to be signed again under another. */
class NonceLost extends Error {}

export function openSender({ rpc, chainId, depth }: { readonly rpc: Rpc; readonly chainId: bigint; readonly depth: Depth }, privateKey: string): Sender {
  const wallet = new Wallet(privateKey)
  const account = address(wallet.address)
  const room = openGasRoom(rpc)
  let nextNonce: Promise<number> | null = null
  const forgetNonce = () => {
    nextNonce = null
  }
  rpc.onReconnect(forgetNonce)

  /** Own count, because the endpoint's lags behind calls made at once; read again after anything went wrong. */
  const takeNonce = (): Promise<number> => {
    const mine = nextNonce ?? countOf(rpc, account, 'pending')
    nextNonce = mine.then((n) => n + 1)
    nextNonce.catch(forgetNonce)
    return mine
  }

  const sign = async (to: Address | null, data: string, gasLimit: number): Promise<Signed> => {
    const fees = await readFees(rpc)
    const nonce = await takeNonce()
    const raw = await wallet.signTransaction({ ...fees, chainId, nonce, gasLimit, to, data, value: 0 })
    return { raw, hash: keccak256(raw), nonce }
  }

  const sendOnce = async (to: Address | null, data: string, gasLimit: number): Promise<Receipt> => {
    try {
      return await deliver(rpc, depth, account, await sign(to, data, gasLimit))
    } catch (error) {
      forgetNonce()
      // What was refused for a state that does not count yet would look undone until it does.
      if (!depth.newest && error instanceof RpcError && isRevert(error)) await depth.reach(Number(await rpc.call<string>('eth_blockNumber', [])))
      throw error
    }
  }

  return {
    account,
    async send(to, data, gasLimit) {
      const call = { from: account, to, data, gas: gasLimit }
      for (let tries = 1; ; tries++) {
        const gas = await room.give(call)
        const receipt = await sendOnce(to, data, gas).catch((error) => {
          if (error instanceof NonceLost && tries < TRIES) return null
          throw error instanceof RpcError || error instanceof NonceLost ? refusal(error, account) : error
        })
        if (receipt === null) continue
        if (BigInt(receipt.status) === 1n) {
          room.done(call, Number(receipt.gasUsed))
          return receipt
        }
        const why = await failureOf(rpc, { ...call, gas }, receipt)
        if (why !== SHORT_OF_GAS) throw why
        await room.widen(call)
      }
    },
  }
}

/**
 * Sends, waits for the receipt, and sends again now and then: an endpoint that came back, or a chain that went back, may have lost it.
 * @throws NonceLost, RpcError when the endpoint refuses it, ROTA-5001, ROTA-5002
 */
async function deliver(rpc: Rpc, depth: Depth, account: Address, signed: Signed): Promise<Receipt> {
  let wake = () => {}
  const stopListening = rpc.onLog((log) => {
    if (log === null || log.transactionHash === signed.hash) wake()
  })
  const onWake = (next: () => void) => {
    wake = next
  }
  try {
    for (let end = Date.now() + MINED_LIMIT_MS; Date.now() < end; ) {
      const refused = await rpc.call('eth_sendRawTransaction', [signed.raw]).then(
        () => null,
        (error) => error,
      )
      const waiting = refused === null || isKnown(refused)
      const receipt = await awaitReceipt(rpc, signed.hash, waiting ? RESEND_MS : isNonceTrouble(refused) ? LATE_RECEIPT_MS : 0, onWake)
      if (receipt !== null) {
        if (depth.newest || (await standsDeep(rpc, depth, signed.hash, receipt))) return receipt
        end = Date.now() + MINED_LIMIT_MS
        continue
      }
      if (!waiting) throw isNonceTrouble(refused) ? new NonceLost(String(refused), { cause: refused }) : refused
      if (await isNonceLost(rpc, account, signed, onWake)) throw new NonceLost('its number is used, or numbers before it are missing')
    }
    throw new RotaError('ROTA-5002', { tx: signed.hash, seconds: MINED_LIMIT_MS / 1_000 })
  } finally {
    stopListening()
  }
}

/** Waits until the transaction's block counts; false when the chain went back meanwhile and the transaction is elsewhere or nowhere. */
async function standsDeep(rpc: Rpc, depth: Depth, hash: string, { blockNumber, blockHash }: Receipt): Promise<boolean> {
  await depth.reach(Number(blockNumber))
  return (await rpc.call<Receipt | null>('eth_getTransactionReceipt', [hash]))?.blockHash === blockHash
}

async function isNonceLost(rpc: Rpc, account: Address, { nonce, hash }: Signed, onWake: (wake: () => void) => void): Promise<boolean> {
  const [mined, pending] = await Promise.all([countOf(rpc, account, 'latest'), countOf(rpc, account, 'pending')])
  if (pending < nonce) return true
  return mined > nonce && (await awaitReceipt(rpc, hash, LATE_RECEIPT_MS, onWake)) === null
}

const countOf = (rpc: Rpc, account: Address, at: 'latest' | 'pending'): Promise<number> =>
  rpc.call<string>('eth_getTransactionCount', [account, at]).then(Number)

/**
 * Asks at once, soon after, and when a log of the transaction is announced (some chains announce before they can be read). Now and then in
 * between: all that is announced wakes, so that each further question only costs.
 */
async function awaitReceipt(rpc: Rpc, hash: string, limitMs: number, onWake: (wake: () => void) => void): Promise<Receipt | null> {
  const end = Date.now() + limitMs
  for (let pauseMs = 2; ; pauseMs = Math.min(pauseMs * 8, 250)) {
    let timer: NodeJS.Timeout | undefined
    const woken = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, pauseMs)
      onWake(resolve)
    })
    const receipt = await rpc.call<Receipt | null>('eth_getTransactionReceipt', [hash])
    if (receipt !== null || Date.now() >= end) {
      clearTimeout(timer)
      return receipt
    }
    await woken
    clearTimeout(timer)
  }
}

const isKnown = (error: unknown): boolean => error instanceof RpcError && /already (known|imported)|known transaction/i.test(error.message)

const isNonceTrouble = (error: unknown): boolean => error instanceof RpcError && /nonce|replacement|underpriced/i.test(error.message)

/** Some endpoints refuse at once what a contract would refuse in the block. */
function refusal(error: RpcError | NonceLost, account: Address): RotaError {
  if (error instanceof RpcError && error.data !== undefined) return revertError(error)
  if (/insufficient funds|balance/i.test(error.message)) return new RotaError('ROTA-5009', { account }, error)
  return new RotaError('ROTA-5010', { error: error.message }, error)
}
