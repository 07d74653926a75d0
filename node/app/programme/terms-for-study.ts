import { RotaError } from '#base/errors.ts'
import type { StudyId } from '#base/ids.ts'
import { expiresAt } from '#core/consent/terms.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { PublishedTerms } from './terms-on-chain.ts'

/**
 * Whether a study may use what the programme's patients were told; null when it may, or when the programme has no terms on chain.
 * ROTA-6014 another lawful basis, ROTA-6015 expired.
 */
export function termsAgainst(study: StudyId, { programme, lawfulBasis }: Protocol, published: PublishedTerms | null, nowMs: number): RotaError | null {
  if (published === null) return null
  const { terms } = published
  const { version, expires } = terms
  if (terms.lawfulBasis !== lawfulBasis)
    return new RotaError('ROTA-6014', { study, programme, version, protocol: BASES[lawfulBasis], terms: BASES[terms.lawfulBasis] })
  if (expiresAt(terms) * 1000 <= nowMs) return new RotaError('ROTA-6015', { programme, version, expires })
  return null
}

const BASES = { consent: 'the consent of each patient', 'opt-out': 'everybody who did not object' } as const
