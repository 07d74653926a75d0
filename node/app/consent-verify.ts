import { readFile } from 'node:fs/promises'
import { type Receipt, readReceipt } from '#adapters/cohort/receipt.ts'
import { RotaError } from '#base/errors.ts'
import { runId } from '#base/ids.ts'
import { networkDigest } from '#core/consent/cohort-map.ts'
import { type ChainRecord, type CohortProof, judgeCohortProof, readCohortProof, type Verdict } from '#core/consent/cohort-proof.ts'
import type { ChainReader } from '#ports/chain.ts'
import { programmeId } from '#wire/programme.ts'
import { contractsAddress, withReader } from './chain-reader.ts'
import { sha256 } from './sha256.ts'

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
    const network = networkDigest(chain.chainId, contracts, sha256)
    return judgeCohortProof(proof, receipt.tag, { network, ...(await recordOf(chain, proof, receipt)) }, sha256)
  })
}

async function readProof(file: string): Promise<CohortProof> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new RotaError('ROTA-3001', { file, reason: String(cause.code) })
  })
  const proof = readCohortProof(text)
  if (proof === null) throw new RotaError('ROTA-6012', { file })
  return proof
}

async function recordOf(chain: ChainReader, { site, run, round }: CohortProof, { programme, tag }: Receipt): Promise<Omit<ChainRecord, 'network'>> {
  const id = programmeId(programme, sha256)
  const ofRun = await chain.events(0, { run: runId(run), kinds: ['RoundOpened', 'Contributed'] })
  const opened = ofRun.find((e) => e.kind === 'RoundOpened' && e.round === round)
  if (opened === undefined) throw new RotaError('ROTA-6010', { run, round })
  const mine = ofRun.findLast((e) => e.kind === 'Contributed' && e.site === site && e.round === round)
  const consents = await chain.events(0, { kinds: ['ConsentRoot', 'ConsentWithdrawn'] })
  return {
    openedAtBlock: opened.block,
    contributed: mine?.kind === 'Contributed' ? { root: mine.cohortRoot, block: mine.block } : null,
    epochs: consents.flatMap((e) =>
      e.kind === 'ConsentRoot' && e.site === site && e.programme === id ? [{ epoch: e.epoch, root: e.root, block: e.block }] : [],
    ),
    withdrawnAtBlock: consents.find((e) => e.kind === 'ConsentWithdrawn' && e.programme === id && e.tag === tag)?.block ?? null,
  }
}
