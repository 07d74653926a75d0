import { type CohortOpening, readCohortOpening } from '#core/consent/cohort-opening.ts'
import { type CohortProof, readCohortProof } from '#core/consent/cohort-proof.ts'
import { type CohortSample, readCohortSample } from '#core/consent/cohort-sample.ts'

/** What a hospital showed of a round's cohort: to the holder of a receipt, or to an auditor, by lot or whole. */
export type Shown =
  | { readonly kind: 'proof'; readonly file: CohortProof }
  | { readonly kind: 'sample'; readonly file: CohortSample }
  | { readonly kind: 'opening'; readonly file: CohortOpening }

/** Read as strictly as the command line does. Null: it is none of these. */
export function readShown(text: string): Shown | null {
  const proof = readCohortProof(text)
  if (proof !== null) return { kind: 'proof', file: proof }
  const sample = readCohortSample(text)
  if (sample !== null) return { kind: 'sample', file: sample }
  const opening = readCohortOpening(text)
  return opening === null ? null : { kind: 'opening', file: opening }
}
