import { RotaError } from '#base/errors.ts'
import type { Model } from '#core/model/model.ts'
import { fromCbor, toCbor } from './cbor.ts'

/** Canonical bytes of a model: a dag-cbor map with the keys of `Model`. Its Merkle root is the model's name on chain. */
export const encodeModel = (model: Model): Uint8Array => toCbor(model)

/** @throws ROTA-4001 when the bytes are no canonical model, ROTA-4003 for another version */
export function decodeModel(bytes: Uint8Array): Model {
  const value = fromCbor(bytes, 'model') as Partial<Model> | null
  if (value === null || typeof value !== 'object') throw new RotaError('ROTA-4001', { what: 'model' })
  if (value.version !== 1) throw new RotaError('ROTA-4003', { version: String(value.version), known: 1 })
  const whole =
    typeof value.learner === 'string' &&
    typeof value.stage === 'string' &&
    Number.isSafeInteger(value.refusals) &&
    typeof value.state === 'object' &&
    value.state !== null
  if (!whole) throw new RotaError('ROTA-4001', { what: 'model' })
  return value as Model
}
