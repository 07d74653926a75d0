import { RotaError } from '#base/errors.ts'
import { LARGE_BYTES } from '#base/large-memory.ts'
import type { Model } from '#core/model/model.ts'
import { withRoom } from '#core/model/roomy.ts'
import { fromCbor, toCbor } from './cbor.ts'

/**
 * Canonical bytes of a model: a dag-cbor map with the keys of `Model`. Its Merkle root is the model's name on chain.
 * Large weights are not copied where there is room around them (core/model/roomy.ts): then the bytes are in the model's own memory, and good
 * until another model with the same weights is encoded.
 */
export const encodeModel = (model: Model): Uint8Array => encodedInPlace(model) ?? toCbor(model)

/** Encodes the model with a mark for its weights, and writes what comes before and after the mark around them. */
function encodedInPlace(model: Model): Uint8Array | null {
  const [name, weights] = Object.entries(model.state).find(([, value]) => value instanceof Uint8Array && value.length >= LARGE_BYTES) ?? []
  if (name === undefined || !(weights instanceof Uint8Array)) return null
  const rest = Buffer.from(toCbor({ ...model, state: { ...model.state, [name]: MARK } }))
  const at = rest.indexOf(MARKED)
  if (at < 0 || at !== rest.lastIndexOf(MARKED)) return null
  const tail = rest.subarray(at + MARKED.length)
  const whole = withRoom(weights, at + HEAD_BYTES, tail.length)
  if (whole === null) return null
  whole.set(rest.subarray(0, at))
  const head = new DataView(whole.buffer, whole.byteOffset + at)
  head.setUint8(0, BYTES_32)
  head.setUint32(1, weights.length)
  whole.set(tail, whole.length - tail.length)
  return whole
}

/** CBOR: bytes whose length, from 65,536 on, is in the next four; @see RFC 8949, section 3.1 */
const BYTES_32 = 0x5a
const HEAD_BYTES = 5
const MARK = new Uint8Array(32).fill(0xa5)
/** The same as CBOR writes it: bytes, length in the next one. */
const MARKED = Buffer.from([0x58, MARK.length, ...MARK])

/** @throws ROTA-4001 when the bytes are no canonical model, ROTA-4003 for another version */
export function decodeModel(bytes: Uint8Array): Model {
  const value = fromCbor(bytes, 'model') as Partial<Model> | null
  if (value === null || typeof value !== 'object') throw new RotaError('ROTA-4001', { what: 'model' })
  if (value.version !== 1) throw new RotaError('ROTA-4003', { version: String(value.version), known: 1 })
  const whole =
    typeof value.learner === 'string' &&
    typeof value.stage === 'string' &&
    Number.isSafeInteger(value.refusals) &&
    isLeftOut(value.leftOut) &&
    typeof value.state === 'object' &&
    value.state !== null
  if (!whole) throw new RotaError('ROTA-4001', { what: 'model' })
  return value as Model
}

function isLeftOut(x: unknown): boolean {
  if (x === undefined) return true
  if (typeof x !== 'object' || x === null) return false
  const { sites, refusals } = x as { readonly sites?: unknown; readonly refusals?: unknown }
  const inOrder = (each: unknown, i: number, all: readonly unknown[]): boolean =>
    Number.isInteger(each) && (each as number) >= 0 && (each as number) < 256 && (i === 0 || (each as number) > (all[i - 1] as number))
  return Array.isArray(sites) && sites.length > 0 && sites.every(inOrder) && Number.isSafeInteger(refusals)
}
