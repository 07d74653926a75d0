import { fromHex } from '#base/bytes.ts'
import type { Digest } from '#base/ids.ts'
import { judgeOpening, type OpeningVerdict } from '#core/consent/cohort-opening.ts'
import { judgeCohortProof, type Pinned, type Verdict } from '#core/consent/cohort-proof.ts'
import { type CohortQuestion, judgeSample, otherThanAsked, type SampleVerdict } from '#core/consent/cohort-sample.ts'
import { sha256 } from '#patient/sha256.ts'
import type { Portals } from './portals.ts'
import { type NoRoots, type Roots, readRoots } from './roots.ts'
import type { Shown } from './shown-file.ts'
import type { Key } from './words.ts'

/** What whoever checks knows by themselves: nothing of it may come from the hospital's file. */
export interface Known {
  /** The programme of the run's study. */
  readonly programme: string
  /** Of the receipt whose holder asks: for a proof. */
  readonly tag: Digest | null
  readonly pinned: Pinned
  /** What was asked, or how many draws were demanded: for a sample. */
  readonly question: CohortQuestion | null
  readonly draws: number | null
  /** Records may be used until somebody objects: for a whole cohort. */
  readonly optOut: boolean
}

export type Judged =
  | { readonly kind: 'proof'; readonly verdict: Verdict }
  | { readonly kind: 'sample'; readonly verdict: SampleVerdict }
  | { readonly kind: 'opening'; readonly verdict: OpeningVerdict }

/** Judged, or why it could not be. */
export type Outcome =
  | { readonly is: 'judged'; readonly judged: Judged; readonly sources: readonly string[]; readonly coinBlock: number | null }
  | { readonly is: 'refused'; readonly why: Key; readonly values: Readonly<Record<string, string | number>> }

const refused = (why: Key, values: Readonly<Record<string, string | number>> = {}): Outcome => ({ is: 'refused', why, values })
const NOT_CONCLUDED: Record<NoRoots, Key> = { 'no-round': 'refused.no-round', disagree: 'refused.disagree', 'no-answer': 'refused.no-answer' }

/** Holds what a hospital showed against what the portals' chains say, here: no file leaves this device. */
export async function check(portals: Portals, shown: Shown, known: Known): Promise<Outcome> {
  const { programme: named } = shown.file
  if (named !== known.programme) return refused('refused.programme', { named, programme: known.programme })
  const other = otherAsked(shown, known)
  if (other !== null) return other
  const roots = await readRoots(portals, shown, known.programme)
  if (typeof roots === 'string') return refused(NOT_CONCLUDED[roots])
  // The page shows that it works before it is busy: a whole cohort takes seconds.
  await new Promise((resolve) => setTimeout(resolve, 50))
  return judge(shown, known, roots)
}

/** As `rota audit cohort` refuses it. */
function otherAsked(shown: Shown, { question, draws }: Known): Outcome | null {
  if (shown.kind !== 'sample') return null
  const { file } = shown
  if (question !== null) {
    const other = otherThanAsked(file, question)
    return other === null ? null : refused('refused.other', { other })
  }
  if (file.seed !== null) return refused('refused.seeded')
  return file.drawn.length === draws ? null : refused('refused.number', { drawn: file.drawn.length, draws: draws ?? 0 })
}

function judge(shown: Shown, { tag, pinned, question, optOut }: Known, { record, coin, sources }: Roots): Outcome {
  const judged = (of: Judged): Outcome => ({ is: 'judged', judged: of, sources, coinBlock: coin?.number ?? null })
  if (shown.kind === 'proof') {
    const withdrawnAtBlock = record.withdrawn.find((each) => each.tag === tag)?.block ?? null
    return judged({ kind: 'proof', verdict: judgeCohortProof(shown.file, tag ?? ('' as Digest), { ...record, withdrawnAtBlock }, sha256, pinned) })
  }
  if (shown.kind === 'opening') {
    return judged({ kind: 'opening', verdict: judgeOpening(shown.file, record, optOut, sha256) })
  }
  if (record.contributed === null) return refused('refused.no-cohort')
  const seed = question?.seed ?? coin?.hash ?? null
  if (seed === null) return refused('refused.coin', { block: coin?.number ?? 0 })
  return judged({ kind: 'sample', verdict: judgeSample(shown.file, fromHex(seed), record, sha256) })
}
