import { contractsAddress, withReader } from '#app/chain/chain-reader.ts'
import { readGiven } from '#app/given-text.ts'
import { withdrawalsUnder } from '#app/site/at-site.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import { type RunId, runId } from '#base/ids.ts'
import type { ChainReader } from '#ports/chain.ts'
import { isSignedCertificate, type RunDigests, type SignedCertificate } from './certificate.ts'

export interface CertificateVerdict {
  readonly valid: boolean
  /** The member whose account signed it; null: none has that account (any more). */
  readonly signedBy: string | null
  readonly before: number
  readonly after: number
  readonly reason: string
}

export interface CertificateCall {
  readonly certificate: string
  readonly chain: string
  /** Nothing in a certificate may choose the network that it is held against. */
  readonly contracts: string
  readonly signal: AbortSignal
}

/**
 * Holds a certificate of unlearning against the chain, anywhere: who signed it; that both runs ended with the models that it names; that the cohorts
 * which it lists are all that the hospital declared in the later one; and the block of the withdrawal. That none of these held the record, only a proof
 * for each round shows (`rota consent prove`), or the cohorts opened to an auditor.
 * @throws ROTA-3001, 6033 the file; 5xxx the chain
 */
export async function checkCertificate(call: CertificateCall): Promise<CertificateVerdict> {
  const certificate = await readCertificate(call.certificate)
  return withReader({ chain: call.chain, contracts: contractsAddress(call.contracts) }, call.signal, async (chain) => {
    const { account, site, before, after } = certificate
    const signedBy = isSignedCertificate(certificate) ? ((await chain.sites()).find(({ id, node }) => id === site.id && node === account)?.name ?? null) : null
    const wrong = signedBy === null ? 'no member of the network has the account that signed it, or it was altered' : await whyNot(chain, certificate)
    const reason = wrong ?? 'both runs ended so on the chain, and these are all the cohorts that the hospital declared in the later one'
    return { valid: wrong === null, signedBy, before: before.run, after: after.run, reason }
  })
}

/** Null: the chain says the same. */
async function whyNot(chain: ChainReader, { site, programme, tag, withdrawnAtBlock, before, after }: SignedCertificate): Promise<string | null> {
  for (const told of [before, after]) if (!(await endedSo(chain, told))) return `run ${told.run} did not end on the chain as it says`
  const events = await chain.events(0, { run: runId(after.run), kinds: ['Contributed'] })
  const declared = events.flatMap((e) => (e.kind === 'Contributed' && e.site === site.id ? [`${e.round} ${e.cohortRoot}`] : []))
  const listed = after.declared.map(({ round, cohortRoot }) => `${round} ${cohortRoot}`)
  if (declared.toSorted().join() !== listed.toSorted().join()) return `the hospital declared other cohorts in run ${after.run} than it lists`
  if (tag !== null && ((await withdrawalsUnder(chain, programme)).get(tag) ?? null) !== withdrawnAtBlock)
    return 'the tag was not withdrawn in the block that it names'
  return null
}

async function endedSo(chain: ChainReader, { study, protocolDigest, run, model, closedRounds }: RunDigests): Promise<boolean> {
  const view = await chain.run(runId(run)).catch(unlessUnknown)
  if (view === null || view.study !== study || (await chain.study(view.study)).protocolDigest !== protocolDigest) return false
  return view.closedRounds === closedRounds && view.model.root === model.root && view.model.cid === model.cid
}

function unlessUnknown(error: unknown): null {
  if (isRotaError(error, 'ROTA-5110')) return null
  throw error
}

/** As `rota consent unlearn --json` wrote it, or the certificate alone. @throws ROTA-3001, 6033 */
async function readCertificate(file: string): Promise<SignedCertificate> {
  const text = await readGiven(file)
  const certificate = parsed(text)
  if (certificate === null) throw new RotaError('ROTA-6033', { file })
  return certificate
}

function parsed(text: string): SignedCertificate | null {
  try {
    const value = JSON.parse(text) as { readonly certificate?: unknown } | null
    const c = (value?.certificate ?? value) as Partial<SignedCertificate> | null
    const named = c?.version === 1 && c.kind === 'rota/unlearning' && typeof c.account === 'string' && typeof c.signature === 'string'
    const placed = Number.isSafeInteger(c?.site?.id) && typeof c?.programme === 'string' && isRun(c.before) && isRun(c.after)
    return named && placed && Array.isArray(c.after?.declared) ? (c as SignedCertificate) : null
  } catch {
    return null
  }
}

const isRun = (told: Partial<RunDigests> | undefined): boolean =>
  Number.isSafeInteger(told?.run) && (told?.run as RunId) > 0 && Number.isSafeInteger(told?.study) && typeof told?.model?.root === 'string'
