import { patientDigest } from '#adapters/cohort/patient-digest.ts'
import type { SiteFolder } from '#app/site/site-folder.ts'
import { utf8 } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { LawfulBasis } from '#core/consent/terms.ts'
import type { WithdrawalReceipt } from '#patient/withdrawal-receipt.ts'

/** A withdrawal as the record has it. */
export type FoundWithdrawal = Pick<WithdrawalReceipt, 'number' | 'programme' | 'lawfulBasis' | 'tag' | 'withdrawnAt' | 'by'>

/**
 * By which a patient's consent under a programme is withdrawn now.
 * @param basis of the programme's terms; where nobody knows them, a withdrawal of no tag is an objection
 * @throws ROTA-6030 it stands, 6031 the record knows nothing of it
 */
export async function lastWithdrawal(
  { consents, vault }: Pick<SiteFolder, 'consents' | 'vault'>,
  { programme, patient }: { readonly programme: string; readonly patient: string },
  basis?: LawfulBasis,
): Promise<FoundWithdrawal> {
  const digest = patientDigest(vault, patient)
  const { state, tag } = (await consents.standings(programme)).get(digest) ?? {}
  if (state === 'granted') throw new RotaError('ROTA-6030', { programme })
  const last = (await consents.entriesOf(digest)).findLast((each) => each.programme === programme && each.kind === 'withdrawn' && each.tag === tag)
  if (last?.kind !== 'withdrawn') throw new RotaError('ROTA-6031', { programme })
  return {
    // The same each time that it is printed; of an objection without a tag it says nothing to anybody else.
    number: (last.tag ?? vault.keyedDigest('withdrawal-number', utf8(`${digest} ${last.at} ${programme}`))).slice(2, 18),
    ...{ programme, tag: last.tag, withdrawnAt: last.at, lawfulBasis: basis ?? (last.tag === null ? 'opt-out' : 'consent') },
    ...(last.by === undefined ? {} : { by: last.by }),
  }
}
