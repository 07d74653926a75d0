import { type Receipt, readReceipt } from '#adapters/cohort/receipt.ts'
import { auditedProgramme, type KnownProgramme } from '#app/audit/audited-programme.ts'
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
  /** Nothing in a certificate may choose the network that it is held against. Default: the network that the receipt names. */
  readonly contracts: string | undefined
  readonly signal: AbortSignal
  readonly whose: KnownProgramme | { readonly receipt: string }
}

/** How the checker knows under which programme the record was: by its receipt, or without it. Never as the certificate says: under another, others withdrew. */
export type KnownRecord = KnownProgramme | { readonly receipt: Pick<Receipt, 'programme' | 'tag'> }

/**
 * Holds a certificate of unlearning against the chain, anywhere: who signed it; that both runs ended with the models that it names; that the cohorts
 * which it lists are all that the hospital declared in the later one; and the block of the withdrawal. That none of these held the record, only a proof
 * for each round shows (`rota consent prove`), or the cohorts opened to an auditor.
 * @throws ROTA-3001, 6001, 6033 files; 6042, 6043 its programme; 5xxx the chain
 */
export async function checkCertificate(call: CertificateCall): Promise<CertificateVerdict> {
  const certificate = await readCertificate(call.certificate)
  const known = 'receipt' in call.whose ? { receipt: await readReceipt(call.whose.receipt) } : call.whose
  const contracts = contractsAddress(call.contracts ?? ('receipt' in known ? (known.receipt.network?.contracts ?? '') : ''))
  const { certificate: file } = call
  return withReader({ chain: call.chain, contracts }, call.signal, (chain) => judgeCertificate(chain, certificate, { file, known }))
}

type CertificateReader = Pick<ChainReader, 'events' | 'sites' | 'run' | 'study'>

/** @throws ROTA-6010, 6042, 6043, 5xxx */
export async function judgeCertificate(
  chain: CertificateReader,
  certificate: SignedCertificate,
  { file, known }: { readonly file: string; readonly known: KnownRecord },
): Promise<CertificateVerdict> {
  const { account, site, before, after } = certificate
  const signedBy = isSignedCertificate(certificate) ? ((await chain.sites()).find(({ id, node }) => id === site.id && node === account)?.name ?? null) : null
  const wrong = signedBy === null ? 'no member of the network has the account that signed it, or it was altered' : await whyNot(chain, certificate, file, known)
  const reason = wrong ?? 'both runs ended so on the chain, and these are all the cohorts that the hospital declared in the later one'
  return { valid: wrong === null, signedBy, before: before.run, after: after.run, reason }
}

/** Null: the chain says the same. */
async function whyNot(chain: CertificateReader, certificate: SignedCertificate, file: string, known: KnownRecord): Promise<string | null> {
  const { site, tag, withdrawnAtBlock, before, after } = certificate
  for (const told of [before, after]) if (!(await endedSo(chain, told))) return `run ${told.run} did not end on the chain as it says`
  const events = await chain.events(0, { run: runId(after.run), kinds: ['Contributed'] })
  const declared = events.flatMap((e) => (e.kind === 'Contributed' && e.site === site.id ? [`${e.round} ${e.cohortRoot}`] : []))
  const listed = after.declared.map(({ round, cohortRoot }) => `${round} ${cohortRoot}`)
  if (declared.toSorted().join() !== listed.toSorted().join()) return `the hospital declared other cohorts in run ${after.run} than it lists`
  const programme = await programmeOf(chain, certificate, file, known)
  if ('receipt' in known && known.receipt.tag !== tag) return 'it is about another receipt'
  if (tag !== null && ((await withdrawalsUnder(chain, programme)).get(tag) ?? null) !== withdrawnAtBlock)
    return 'the tag was not withdrawn in the block that it names'
  return null
}

/** Of both runs: a study of another programme stands in for nothing. @throws ROTA-6042 */
async function programmeOf(chain: CertificateReader, { programme, before, after }: SignedCertificate, file: string, known: KnownRecord): Promise<string> {
  const by = 'receipt' in known ? { programme: known.receipt.programme } : known
  const shown = [before, after].map(({ run, closedRounds }) => ({ file, run, round: closedRounds, programme }))
  for (const each of shown) await auditedProgramme(chain, each, by)
  return programme
}

async function endedSo(chain: CertificateReader, { study, protocolDigest, run, model, closedRounds }: RunDigests): Promise<boolean> {
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
