import { contractsAddress, withReader } from '#app/chain/chain-reader.ts'
import { consentRecordOf } from '#app/consent/consent-verify.ts'
import { readGiven } from '#app/given-text.ts'
import { withdrawalsUnder } from '#app/site/at-site.ts'
import { RotaError } from '#base/errors.ts'
import { type CohortOpening, judgeOpening, type OpeningVerdict, readCohortOpening } from '#core/consent/cohort-opening.ts'
import { sha256 } from '../sha256.ts'

export type { OpeningVerdict } from '#core/consent/cohort-opening.ts'

export interface AuditCohortCall {
  readonly opening: string
  readonly url: string
  readonly contracts: string
  readonly optOut: boolean
  readonly signal: AbortSignal
}

/** Checks a cohort that a site opened against the chain, anywhere. @throws ROTA-3001, 6010, 6013 the file; 5xxx the chain */
export async function auditCohort({ opening: file, url, contracts, optOut, signal }: AuditCohortCall): Promise<OpeningVerdict> {
  const opening = await readOpening(file)
  return withReader({ chain: url, contracts: contractsAddress(contracts) }, signal, async (chain) => {
    const record = await consentRecordOf(chain, contractsAddress(contracts), opening)
    const withdrawn = [...(await withdrawalsUnder(chain, opening.programme))].map(([tag, block]) => ({ tag, block }))
    return judgeOpening(opening, { ...record, withdrawn }, optOut, sha256)
  })
}

async function readOpening(file: string): Promise<CohortOpening> {
  const text = await readGiven(file)
  const opening = readCohortOpening(text)
  if (opening === null) throw new RotaError('ROTA-6013', { file })
  return opening
}
