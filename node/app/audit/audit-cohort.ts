import { contractsAddress, withReader } from '#app/chain/chain-reader.ts'
import type { CohortReader } from '#app/consent/consent-verify.ts'
import { readGiven } from '#app/given-text.ts'
import { RotaError } from '#base/errors.ts'
import { type CohortOpening, judgeOpening, type OpeningVerdict, readCohortOpening } from '#core/consent/cohort-opening.ts'
import { sha256 } from '../sha256.ts'
import { auditedRecord, type KnownProgramme } from './audited-programme.ts'

export type { OpeningVerdict } from '#core/consent/cohort-opening.ts'

export interface AuditCohortCall {
  readonly opening: string
  readonly url: string
  readonly contracts: string
  readonly optOut: boolean
  readonly signal: AbortSignal
  readonly known: KnownProgramme
}

/** Checks a cohort that a site opened against the chain, anywhere. @throws ROTA-3001, 6010, 6013 the file; 6042, 6043 its programme; 5xxx the chain */
export async function auditCohort(call: AuditCohortCall): Promise<OpeningVerdict> {
  const opening = await readOpening(call.opening)
  return withReader({ chain: call.url, contracts: contractsAddress(call.contracts) }, call.signal, (chain) => judgeOpeningOn(chain, opening, call))
}

/** @throws ROTA-6010, 6042, 6043, 5xxx */
export async function judgeOpeningOn(
  chain: CohortReader,
  opening: CohortOpening,
  { opening: file, contracts, optOut, known }: Omit<AuditCohortCall, 'url' | 'signal'>,
): Promise<OpeningVerdict> {
  return judgeOpening(opening, await auditedRecord(chain, contracts, { ...opening, file }, known), optOut, sha256)
}

async function readOpening(file: string): Promise<CohortOpening> {
  const text = await readGiven(file)
  const opening = readCohortOpening(text)
  if (opening === null) throw new RotaError('ROTA-6013', { file })
  return opening
}
