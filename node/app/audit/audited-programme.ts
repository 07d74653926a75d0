import type { EthersReader } from '#adapters/chain/ethers-chain.ts'
import type { PasswordSource } from '#adapters/vault/password.ts'
import { contractsAddress } from '#app/chain/chain-reader.ts'
import { consentRecordOf } from '#app/consent/consent-verify.ts'
import { withdrawalsUnder } from '#app/site/at-site.ts'
import { loadStudyAudit } from '#audit/study-audit.ts'
import { RotaError } from '#base/errors.ts'
import { runId } from '#base/ids.ts'
import type { AuditedRecord } from '#core/consent/cohort-opening.ts'
import { learnerFor } from '#core/learner/learner-for.ts'
import { sha256 } from '../sha256.ts'
import { openSources } from './audit.ts'

/**
 * How the auditor knows which programme a run's study is under: its name, or stores that hold the protocol. Never as a site's file says: whoever made it may
 * have put the tags of people who withdrew under another programme, where nobody did.
 */
export type KnownProgramme =
  | { readonly programme: string }
  | { readonly stores: readonly string[]; readonly reader: string | undefined; readonly password: PasswordSource | null }

interface Shown {
  readonly file: string
  readonly run: number
  readonly round: number
  /** As the file says. */
  readonly programme: string
}

/** What the chain says of a cohort that a file shows, under the programme of the run's study. @throws ROTA-6042, 6010, 6043, 64xx, 13xx, 5xxx */
export async function auditedRecord(
  chain: Pick<EthersReader, 'chainId' | 'events'>,
  contracts: string,
  shown: Shown & { readonly site: number },
  known: KnownProgramme,
): Promise<AuditedRecord> {
  const programme = await auditedProgramme(chain, shown, known)
  const record = await consentRecordOf(chain, contractsAddress(contracts), { ...shown, programme })
  const withdrawn = [...(await withdrawalsUnder(chain, programme))].map(([tag, block]) => ({ tag, block }))
  return { ...record, withdrawn }
}

/** The programme of the run's study, under which a file has to show consents. @throws ROTA-6042 it names another; 6010, 6043, 64xx, 13xx stores */
export async function auditedProgramme(
  chain: Pick<EthersReader, 'events'>,
  { file, run, round, programme: named }: Shown,
  known: KnownProgramme,
): Promise<string> {
  const programme = 'programme' in known ? known.programme : await fromProtocol(chain, { run, round }, known)
  if (named !== programme) throw new RotaError('ROTA-6042', { file, named, run, programme })
  return programme
}

/** From the protocol that the stewards approved: its digest is on chain. */
async function fromProtocol(
  chain: Pick<EthersReader, 'events'>,
  { run, round }: Pick<Shown, 'run' | 'round'>,
  { stores, reader, password }: Exclude<KnownProgramme, { readonly programme: string }>,
): Promise<string> {
  const opened = await chain.events(0, { run: runId(run), kinds: ['RunOpened'] })
  const study = opened.find((e) => e.kind === 'RunOpened')?.study
  const published = (await chain.events(0, { kinds: ['StudyPublished'] })).find((e) => e.kind === 'StudyPublished' && e.study === study)
  if (published?.kind !== 'StudyPublished') throw new RotaError('ROTA-6010', { run, round })
  const sources = await openSources(stores, reader, password)
  const { protocol, why } = await loadStudyAudit({ ...published, epochs: new Map(), first: [] }, sources, (it) => learnerFor(it, sha256))
  if (protocol === null) throw new RotaError('ROTA-6043', { run, reason: why })
  return protocol.programme
}
