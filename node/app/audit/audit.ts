import { connectChain, type EthersReader } from '#adapters/chain/ethers-chain.ts'
import { systemRandom } from '#adapters/host/system-host.ts'
import { type PasswordSource, readPassword } from '#adapters/vault/password.ts'
import { createReader } from '#adapters/vault/reader.ts'
import { readSealed } from '#adapters/vault/sealed-file.ts'
import type { BlockSource } from '#audit/block-source.ts'
import { eventPlace, eventText } from '#audit/event-text.ts'
import { openFolder } from '#audit/folder-source.ts'
import { openEndpoint } from '#audit/http-source.ts'
import { type Participation, participationOf } from '#audit/participation.ts'
import { absenceLines } from '#audit/participation-text.ts'
import { type ReaderKey, readerKeyOf } from '#audit/reader-key.ts'
import { type AuditReport, type RoundReport, VERDICTS } from '#audit/report.ts'
import { verifyLog } from '#audit/verify.ts'
import { fromHex } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import { address, type Digest, isAddress, type RunId, runId } from '#base/ids.ts'
import { learnerFor } from '#core/learner/learner-for.ts'
import type { ChainEvent } from '#ports/chain.ts'
import { sha256 } from '../sha256.ts'

export type { AuditReport, Fault, RoundReport } from '#audit/report.ts'

export interface AuditChain {
  readonly url: string
  /** Address of the network's directory contract. */
  readonly contracts: string
  readonly run?: number | undefined
}

export interface AuditVerifyOptions extends AuditChain {
  /** The reader's keystore. */
  readonly reader: string
  readonly password: PasswordSource
  /** Folders and URLs, asked in this order; none: only what the chain itself can show is checked. */
  readonly stores: readonly string[]
  /** A round that could not be recomputed does not hold. */
  readonly strict?: boolean
}

/** The report, with how many of its rounds were computed again: the others are only attested. */
export interface AuditAnswer extends AuditReport {
  readonly recomputed: number
}

/** Recomputes every round with a reader's key alone. @throws ROTA-13xx keystore, 5110 no such run, 5xxx chain, 64xx stores and reader */
export async function auditVerify(options: AuditVerifyOptions, signal: AbortSignal, tell: (round: RoundReport) => void): Promise<AuditAnswer> {
  const reader = await openReaderKey(options.reader, options.password)
  const sources = await Promise.all(options.stores.map((store) => openSource(store, reader)))
  const report = await withChain(options, signal, (chain) =>
    verifyLog({
      chain,
      sources,
      reader,
      learnerFor: (protocol) => learnerFor(protocol, sha256),
      tell,
      ...(options.run === undefined ? {} : { run: runId(options.run) }),
    }),
  )
  const recomputed = report.rounds.filter((round) => round.verdict === VERDICTS.recomputed || round.verdict === VERDICTS.fromSum).length
  return { ...report, recomputed, ok: report.ok && (options.strict !== true || recomputed === report.rounds.length) }
}

export interface LogLine {
  readonly place: string
  readonly text: string
  readonly event: ChainEvent
}

/** The log, and what it says of each run as a whole: who was in its rounds, who was not and why. */
export interface ToldLog {
  readonly lines: readonly LogLine[]
  readonly runs: readonly (Participation & { readonly absences: readonly string[] })[]
}

/** The chain's events in order, each with a sentence that says what it means. @throws ROTA-5110 no such run, 5xxx chain */
export async function auditLog(options: AuditChain & { readonly from?: number | undefined }, signal: AbortSignal): Promise<ToldLog> {
  return withChain(options, signal, async (chain) => {
    const [all, sites] = await Promise.all([chain.events(0), chain.sites()])
    const { from = 0, run } = options
    const asked = (event: ChainEvent): boolean => event.block >= from && (run === undefined || ('run' in event && event.run === run))
    const told = all.filter(asked)
    const runs = new Set(told.flatMap((event) => ('run' in event ? [event.run] : [])))
    return {
      lines: told.map((event) => ({ place: eventPlace(event), text: eventText(event), event })),
      runs: [...runs].map((id) => participationIn(all, id, (site) => sites.find((record) => record.id === site)?.name ?? `site ${site}`)),
    }
  })
}

function participationIn(events: readonly ChainEvent[], run: RunId, name: (site: number) => string): ToldLog['runs'][number] {
  const found = participationOf(events, run)
  return { ...found, absences: absenceLines(found, name) }
}

/** Draws an auditor's keys into a keystore of their own. @throws ROTA-1303 when the file exists, ROTA-1306 when it cannot be written */
export async function makeReaderKey(keystore: string, password: PasswordSource): Promise<{ readonly keystore: string; readonly encryptionKey: Digest }> {
  const { encryptionKey } = await createReader(keystore, readPassword(password), systemRandom)
  return { keystore, encryptionKey }
}

/** The X25519 secret of a keystore that `adapters/vault/reader.ts` made; the audit unwraps with its own code. */
async function openReaderKey(file: string, password: PasswordSource): Promise<ReaderKey> {
  const { secrets } = await readSealed(file, 'reader', readPassword(password))
  const secret = fromHex(secrets.encryption ?? '')
  if (secret.length !== 32) throw new RotaError('ROTA-1302', { file, reason: 'its key is missing' })
  return readerKeyOf(secret)
}

/** Stores for who has perhaps no reader's key: folders need none. @throws ROTA-1006, 1308, 13xx the key; 6402 a folder */
export async function openSources(stores: readonly string[], keystore: string | undefined, password: PasswordSource | null): Promise<readonly BlockSource[]> {
  if (!stores.some(isUrl)) return Promise.all(stores.map(openFolder))
  if (keystore === undefined) throw new RotaError('ROTA-1006', { command: 'audit cohort', reason: '--reader is missing: the URL of a store asks for it' })
  if (password === null) throw new RotaError('ROTA-1308', { source: 'nowhere: neither --password-file nor --password-fd is given' })
  const reader = await openReaderKey(keystore, password)
  return Promise.all(stores.map((store) => openSource(store, reader)))
}

const isUrl = (store: string): boolean => /^https?:\/\//.test(store)

const openSource = (store: string, reader: ReaderKey): Promise<BlockSource> | BlockSource => (isUrl(store) ? openEndpoint(store, reader) : openFolder(store))

async function withChain<T>({ url, contracts, run }: AuditChain, signal: AbortSignal, use: (chain: EthersReader) => Promise<T>): Promise<T> {
  if (!isAddress(contracts.toLowerCase()))
    throw new RotaError('ROTA-1004', { option: '--contracts', value: contracts, expected: 'an address: 0x and 40 hex digits' })
  const chain = await connectChain({ url, contracts: address(contracts), signer: null, signal })
  const stop = () => void chain.stop()
  signal.addEventListener('abort', stop, { once: true })
  try {
    // Of a run that is not there every round would hold.
    if (run !== undefined && !(await chain.runs()).some((known) => known.run === run)) throw new RotaError('ROTA-5110', { run })
    return await use(chain)
  } finally {
    signal.removeEventListener('abort', stop)
    await chain.stop()
  }
}
