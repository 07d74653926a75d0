import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { connectChain, type EthersChain } from '#adapters/chain/ethers-chain.ts'
import { type Receipt, readReceipt, receiptFileName } from '#adapters/cohort/receipt.ts'
import { systemRandom } from '#adapters/host/system-host.ts'
import { contractsAddress } from '#app/chain/chain-reader.ts'
import { type AtSite, heldProtocols, withdrawalsUnder } from '#app/site/at-site.ts'
import { fromHex, toHex } from '#base/bytes.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import { consentDomain } from '#patient/typed-data.ts'
import { signWithdrawal } from '#patient/withdrawal.ts'
import { type ToldError, toldError } from '../told-error.ts'

export interface Withdrawal {
  readonly file: string
  readonly programme: string
  readonly tag: Digest
  /** The block that says so. */
  readonly block: number
  /** It was withdrawn before: nothing was sent. */
  readonly already: boolean
}

/** So many transactions are under way at once. */
const AT_ONCE = 16

/**
 * Relays withdrawals for whoever holds the receipts: no account of the network is needed, since the patient's one-time key signs
 * and the transactions cost nothing. Mined when it returns; from then on no node uses the patient's rows.
 */
export async function relayWithdrawals(
  where: { readonly chain: string; readonly contracts: string },
  files: readonly string[],
  signal: AbortSignal,
  onDone: (count: number) => void = () => {},
): Promise<readonly Withdrawal[]> {
  const receipts = await Promise.all(files.map(async (file) => ({ file, receipt: await readReceipt(file) })))
  // A key made for this once.
  const chain = await connectChain({ url: where.chain, contracts: contractsAddress(where.contracts), signer: toHex(systemRandom.bytes(32)), signal })
  try {
    const already = new Set<Digest>()
    for (let at = 0; at < receipts.length; at += AT_ONCE) {
      await Promise.all(receipts.slice(at, at + AT_ONCE).map(async ({ receipt }) => void ((await relay(chain, receipt)) || already.add(receipt.tag))))
      onDone(Math.min(at + AT_ONCE, receipts.length))
    }
    const blocks = await blocksOf(
      chain,
      receipts.map(({ receipt }) => receipt.programme),
    )
    return receipts.map(({ file, receipt: { programme, tag } }) => ({ file, programme, tag, block: blocks.get(tag) ?? 0, already: already.has(tag) }))
  } finally {
    await chain.stop()
  }
}

/** @returns false when it was withdrawn before */
async function relay(chain: EthersChain, { secret, programme }: Receipt): Promise<boolean> {
  const {
    programme: id,
    blind,
    patientKey,
    signature,
  } = signWithdrawal(fromHex(secret), programme, consentDomain(chain.chainId, chain.link.addresses.ConsentRegistry))
  try {
    await chain.withdraw(id, blind, patientKey, signature)
    return true
  } catch (error) {
    if (isRotaError(error, 'ROTA-5401')) return false
    throw error
  }
}

async function blocksOf(chain: EthersChain, programmes: readonly string[]): Promise<ReadonlyMap<Digest, number>> {
  const found = await Promise.all([...new Set(programmes)].map((programme) => withdrawalsUnder(chain, programme)))
  return new Map(found.flatMap((tags) => [...tags]))
}

/** All receipts in a folder. @throws ROTA-3001, ROTA-6007 */
export async function receiptsIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    throw new RotaError('ROTA-3001', { file: folder, reason: String(cause.code) })
  })
  const found = names.filter((name) => /^receipt-[0-9a-f]+\.json$/.test(name)).sort()
  if (found.length === 0) throw new RotaError('ROTA-6007', { folder })
  return found.map((name) => join(folder, name))
}

/** Anyone may object, unless every study of the programme asks for consent first. */
export async function basisOf(site: AtSite, programme: string, signal: AbortSignal): Promise<'consent' | 'opt-out'> {
  const under = [...(await heldProtocols(site, signal)).values()].filter((protocol) => protocol.programme === programme)
  return under.length > 0 && under.every(({ lawfulBasis }) => lawfulBasis === 'consent') ? 'consent' : 'opt-out'
}

/** Withdraws a tag on chain by its receipt, where that still lies in the folder. */
export async function relayOwn(
  site: AtSite,
  tag: Digest | null,
  receipts: string | undefined,
  signal: AbortSignal,
): Promise<{ readonly relayed: Withdrawal | null; readonly problem: ToldError | null }> {
  const file =
    tag === null || receipts === undefined
      ? undefined
      : (await receiptsIn(receipts).catch(() => [])).find((path) => path.endsWith(receiptFileName({ tag } as Receipt)))
  if (file === undefined) return { relayed: null, problem: null }
  try {
    const [relayed = null] = await relayWithdrawals(site.folder.config, [file], signal)
    return { relayed, problem: null }
  } catch (error) {
    if (!isRotaError(error)) throw error
    return { relayed: null, problem: toldError(error) }
  }
}
