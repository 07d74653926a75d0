import { type AttackFigures, type AttackVerdict, verdictOn } from '#core/evidence/verdict.ts'
import { hidesUpdates, type Protocol } from '#core/protocol/protocol.ts'

export const ATTACKS = ['inversion', 'matching', 'loss', 'likelihood', 'property', 'canary', 'differencing'] as const
export type AttackName = (typeof ATTACKS)[number]

/** One attack on one study: what was measured, and how that compares with what is said. */
export interface Evidence extends AttackFigures {
  readonly attack: AttackName
  /** In words. */
  readonly title: string
  /** What the numbers are. */
  readonly figure: string
  readonly verdict: AttackVerdict
  /** What the study says that it does against it. */
  readonly declared: string
  /** Beyond what nobody gets, and who refuses. */
  readonly enforced: string
  /** What was measured, in words. */
  readonly evidenced: string
  /** What a reader should know of how it was measured. */
  readonly note: string
}

/** An attack that cannot be tried on this study. */
export interface NotTried {
  readonly attack: AttackName
  readonly title: string
  readonly why: string
}

export type Outcome = Evidence | NotTried

export const isEvidence = (outcome: Outcome): outcome is Evidence => 'verdict' in outcome

export function judged(measured: Omit<Evidence, 'verdict' | 'evidenced'>): Evidence {
  const verdict = verdictOn(measured)
  return { ...measured, verdict, evidenced: evidencedBy({ ...measured, verdict }) }
}

function evidencedBy({ figure, unprotected, protected: guarded, ceiling, verdict }: Omit<Evidence, 'evidenced'>): string {
  if (verdict === 'the attack failed') return `nothing: the attack failed without protection too (${figure} ${digits(unprotected.value)})`
  if (guarded === null) return `${figure} ${digits(unprotected.value)}, and no protection`
  return `${figure} ${digits(guarded.value)}, without protection ${digits(unprotected.value)}${ceiling === null ? '' : `; ${verdict} of ${digits(ceiling)}`}`
}

const digits = (x: number): string => x.toFixed(3).replace('-', '−')

export const NO_PROTECTION = 'nothing: no differential privacy'

/** What a study says about one patient in what is released, and who holds it to that. */
export function promiseOf({ privacy }: Protocol): { readonly declared: string; readonly enforced: string } {
  if (privacy === undefined) return { declared: NO_PROTECTION, enforced: 'nothing' }
  const { epsilon, delta, noise, place, colluders = 0 } = privacy
  // A lab has one site, which adds all of it: as much as the smallest set does without those who collude.
  const together = `${noise} in the sum: each site adds its share of it, enough while at most ${colluders} members put their shares together; attacked is the sum of the smallest set`
  return {
    declared: `epsilon ${epsilon} at delta ${delta.toExponential()} a patient, by noise of ${place === 'local' ? `${noise} at each site` : together}`,
    enforced: `on chain: no contribution beyond epsilon ${epsilon} of a dataset`,
  }
}

/** Against whoever asks a vector what most patients of a cohort have in common. */
export const cohortCoverOf = (protocol: Protocol): { readonly declared: string; readonly enforced: string } =>
  hidesUpdates(protocol) ? coverOf(protocol) : { declared: 'nothing: noise is for one patient, not for what many have in common', enforced: 'nothing' }

/** Against whoever gets hold of one site's vector. */
export function coverOf(protocol: Protocol): { readonly declared: string; readonly enforced: string } {
  if (protocol.mode === 'masked')
    return { declared: 'masks: a vector leaves no site in the clear', enforced: 'on chain: only sites that keyed contribute, five at least' }
  if (protocol.mode === 'groups')
    return { declared: 'masks: a vector leaves no site in the clear, but in sums of four or more', enforced: 'on chain: only sites that keyed contribute' }
  return protocol.privacy === undefined ? { declared: 'nothing: members see each vector', enforced: 'nothing' } : promiseOf(protocol)
}
