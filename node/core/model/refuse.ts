import type { Model } from './model.ts'

/** The base of the round that follows a refused publication: the same model, other bytes. */
export const refused = (base: Model): Model => ({ ...base, refusals: base.refusals + 1 })
