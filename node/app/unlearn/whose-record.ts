import { patientDigest } from '#adapters/cohort/patient-digest.ts'
import { readReceipt } from '#adapters/cohort/receipt.ts'
import type { WhoseTag } from '#app/consent/consent-history.ts'
import { type AtSite, withdrawalsUnder } from '#app/site/at-site.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import type { WithdrawnRecord } from './unlearning.ts'

/** By receipt, or by the patient's name as this site's data has it. */
export type WhoseRecord = { readonly receipt: string } | { readonly patient: string }

/**
 * Whose record it is: under every tag that the patient ever had here, since who agreed again and withdrew again was used under both.
 * @throws ROTA-6030 a consent of this patient stands, 6031 nothing is known of the record
 */
export async function withdrawnRecord(
  { folder: { consents, vault }, chain }: Pick<AtSite, 'folder' | 'chain'>,
  by: WhoseRecord,
  programme: string,
): Promise<{ readonly whose: readonly WhoseTag[]; readonly withdrawn: WithdrawnRecord }> {
  const receipt = 'receipt' in by ? await readReceipt(by.receipt) : null
  const patient = 'patient' in by ? patientDigest(vault, by.patient) : await patientBy(receipt, (tag) => consents.patientOf(programme, tag), programme)
  const standing = patient === undefined ? undefined : (await consents.standings(programme)).get(patient)
  if (patient === undefined || standing === undefined) throw new RotaError('ROTA-6031', { programme })
  const blocks = await withdrawalsUnder(chain, programme)
  if (standing.state !== 'withdrawn' && !(standing.tag !== null && blocks.has(standing.tag))) throw new RotaError('ROTA-6030', { programme })
  const tag = receipt?.tag ?? standing.tag
  const tags = [...(await consents.tags(programme))].flatMap(([each, of]) => (of.patient === patient ? [each] : []))
  return {
    whose: (tags.length === 0 ? [patient] : tags).map((each) => ({ tag: each, patient })),
    withdrawn: { tag, withdrawnAtBlock: tag === null ? null : (blocks.get(tag) ?? null) },
  }
}

const patientBy = async (
  receipt: { readonly programme: string; readonly tag: Digest } | null,
  patientOf: (tag: Digest) => Promise<Digest | undefined>,
  programme: string,
): Promise<Digest | undefined> => (receipt === null || receipt.programme !== programme ? undefined : patientOf(receipt.tag))
