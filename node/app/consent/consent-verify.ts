import type { EthersReader } from '#adapters/chain/ethers-chain.ts'
import { readReceipt } from '#adapters/cohort/receipt.ts'
import { contractsAddress, withReader } from '#app/chain/chain-reader.ts'
import { readGiven } from '#app/given-text.ts'
import { withdrawalsUnder } from '#app/site/at-site.ts'
import { RotaError } from '#base/errors.ts'
import { type Address, runId } from '#base/ids.ts'
import { networkDigest } from '#core/consent/cohort-map.ts'
import { type ChainRecord, type CohortProof, judgeCohortProof, readCohortProof, type Verdict } from '#core/consent/cohort-proof.ts'
import { pinnedBy } from '#patient/pinned.ts'
import { programmeId } from '#wire/programme.ts'
import { sha256 } from '../sha256.ts'

export type { Verdict } from '#core/consent/cohort-proof.ts'

export interface VerifyCall {
  readonly receipt: string
  readonly proof: string
  readonly chain: string
  /** Default: the network that the receipt names. Never what the proof says: its maker chose that. */
  readonly contracts: string | undefined
  readonly signal: AbortSignal
}

/** Checks what a site showed about a receipt against the chain, anywhere. @throws ROTA-3001, 6001, 6010, 6012 files; 5xxx the chain */
export async function verifyReceipt(call: VerifyCall): Promise<Verdict> {
  const receipt = await readReceipt(call.receipt)
  const proof = await readProof(call.proof)
  const contracts = contractsAddress(call.contracts ?? receipt.network?.contracts ?? '')
  return withReader({ chain: call.chain, contracts }, call.signal, async (chain) => {
    const record = await consentRecordOf(chain, contracts, { ...proof, programme: receipt.programme })
    const withdrawnAtBlock = (await withdrawalsUnder(chain, receipt.programme)).get(receipt.tag) ?? null
    return judgeCohortProof(proof, receipt.tag, { ...record, withdrawnAtBlock }, sha256, pinnedBy(receipt))
  })
}

async function readProof(file: string): Promise<CohortProof> {
  const text = await readGiven(file)
  const proof = readCohortProof(text)
  if (proof === null) throw new RotaError('ROTA-6012', { file })
  return proof
}

/** What of a chain shows a round's cohort. */
export type CohortReader = Pick<EthersReader, 'chainId' | 'events' | 'head' | 'blockHash'>

/** What the chain says of a site's part in a round, and of its consents under a programme. @throws ROTA-6010 */
export async function consentRecordOf(
  chain: Pick<CohortReader, 'chainId' | 'events'>,
  contracts: Address,
  { site, run, round, programme }: { readonly site: number; readonly run: number; readonly round: number; readonly programme: string },
): Promise<Omit<ChainRecord, 'withdrawnAtBlock'>> {
  const id = programmeId(programme, sha256)
  const ofRun = await chain.events(0, { run: runId(run), kinds: ['RoundOpened', 'Contributed'] })
  const opened = ofRun.find((e) => e.kind === 'RoundOpened' && e.round === round)
  if (opened === undefined) throw new RotaError('ROTA-6010', { run, round })
  const mine = ofRun.findLast((e) => e.kind === 'Contributed' && e.site === site && e.round === round)
  const roots = await chain.events(0, { kinds: ['ConsentRoot'] })
  return {
    network: networkDigest(chain.chainId, contracts, sha256),
    openedAtBlock: opened.block,
    contributed: mine?.kind === 'Contributed' ? { root: mine.cohortRoot, block: mine.block } : null,
    epochs: roots.flatMap((e) => (e.kind === 'ConsentRoot' && e.site === site && e.programme === id ? [{ epoch: e.epoch, root: e.root, block: e.block }] : [])),
  }
}
