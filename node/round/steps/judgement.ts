import type { Bitmap } from '#base/ids.ts'
import type { Model } from '#core/model/model.ts'
import { refused } from '#core/model/refuse.ts'
import type { AttestStatus } from '#ports/chain.ts'
import { INLINE_VECTOR_BYTES } from '#wire/announce.ts'
import type { Round } from '../play.ts'

export interface Step {
  readonly model: Model
  readonly status: AttestStatus
}

/** What a site bears out, and why something is not in it. */
export interface Judgement {
  readonly step: Step
  readonly refusal: 'bounds' | 'vote' | null
  /** Sites of the groups that are left out. */
  readonly leftOut: readonly { readonly sites: Bitmap; readonly why: 'bounds' | 'vote' }[]
}

export const refusal = (round: Round, why: 'bounds' | 'vote'): Judgement => ({ step: refusedStep(round), refusal: why, leftOut: [] })

/** What others of the process may have again is not remembered for them then. */
export const isLarge = ({ state }: Model): boolean => Object.values(state).some((value) => value instanceof Uint8Array && value.length > INLINE_VECTOR_BYTES)

/** The base stays, and its refusals go up by one. */
export const refusedStep = ({ base }: Round): Step => ({ model: refused(base.model), status: 'refused' })
