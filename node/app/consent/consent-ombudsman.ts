import { connectChain } from '#adapters/chain/ethers-chain.ts'
import { readReceipt } from '#adapters/cohort/receipt.ts'
import { type PasswordSource, readPassword } from '#adapters/vault/password.ts'
import { openAccount } from '#adapters/vault/site-vault.ts'
import { contractsAddress } from '#app/chain/chain-reader.ts'
import { withdrawalsUnder } from '#app/site/at-site.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import { type Digest, isDigest } from '#base/ids.ts'
import { programmeId } from '#patient/keys.ts'
import type { Withdrawal } from './consent-withdraw.ts'

export interface OmbudsmanCall {
  readonly chain: string
  readonly contracts: string
  /** The keystore of the key that the programme's newest terms name. */
  readonly keystore: string
  readonly password: PasswordSource | null
  /** What to withdraw: receipts, or tags under a programme where a patient has nothing but the number. */
  readonly receipts: readonly string[]
  readonly programme: string | undefined
  readonly tags: readonly string[]
  readonly signal: AbortSignal
}

interface Wanted {
  readonly file: string
  readonly programme: string
  readonly tag: Digest
}

/**
 * Withdraws for patients by the second key that the terms name. No patient's key is needed, and no receipt where the tag is known.
 * @throws ROTA-1301, 1302, 1308 the keystore; 6001 a receipt; 6021 no tag; 5xxx the chain, which knows whose key it is
 */
export async function withdrawAsOmbudsman(call: OmbudsmanCall): Promise<readonly Withdrawal[]> {
  const wanted = await wantedBy(call)
  if (call.password === null) throw new RotaError('ROTA-1308', { source: 'nowhere: name it with --password-file or --password-fd' })
  const { privateKey } = await openAccount(call.keystore, readPassword(call.password))
  const chain = await connectChain({ url: call.chain, contracts: contractsAddress(call.contracts), signer: privateKey, signal: call.signal })
  try {
    const already = new Set<Digest>()
    for (const { programme, tag } of wanted) {
      await chain.withdrawByOmbudsman(programmeId(programme), tag, null).catch((error) => {
        if (!isRotaError(error, 'ROTA-5401')) throw error
        already.add(tag)
      })
    }
    const blocks = new Map<string, ReadonlyMap<Digest, number>>()
    for (const programme of new Set(wanted.map((each) => each.programme))) blocks.set(programme, await withdrawalsUnder(chain, programme))
    return wanted.map((each) => ({ ...each, block: blocks.get(each.programme)?.get(each.tag) ?? 0, already: already.has(each.tag) }))
  } finally {
    await chain.stop()
  }
}

async function wantedBy({ receipts, programme, tags }: OmbudsmanCall): Promise<readonly Wanted[]> {
  const wrong = tags.find((tag) => !isDigest(tag.toLowerCase()))
  if (wrong !== undefined) throw new RotaError('ROTA-6021', { tag: wrong.slice(0, 80) })
  const named = tags.map((tag) => ({ file: '', programme: programme ?? '', tag: tag.toLowerCase() as Digest }))
  const held = await Promise.all(receipts.map(async (file) => ({ file, ...(await readReceipt(file)) })))
  return [...held.map(({ file, programme: of, tag }) => ({ file, programme: of, tag })), ...named]
}
