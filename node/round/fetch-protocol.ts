import type { Sha256 } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { StudyRecord } from '#ports/chain.ts'
import type { ModelStore } from '#ports/model-store.ts'
import { decodeProtocol, protocolDigest } from '#wire/protocol.ts'

/** What fetching a protocol needs of a site. */
export interface ProtocolSource {
  readonly store: Pick<ModelStore, 'getPlain'>
  readonly sha256: Sha256
}

/**
 * The protocol of a study by its CID, checked to be what stewards approved.
 * @throws ROTA-5501 when the bytes have another digest, 4010 when nobody has them
 */
export async function fetchProtocol(
  { store, sha256 }: ProtocolSource,
  { id, protocolCid, protocolDigest: expected }: StudyRecord,
  signal: AbortSignal,
): Promise<Protocol> {
  const { protocol, digest: found } = read(await store.getPlain(protocolCid, signal), sha256)
  if (found !== expected) throw new RotaError('ROTA-5501', { study: id, expected, found })
  return protocol
}

/** Simulated sites are handed one array for all: it is decoded once. */
const known = new WeakMap<Uint8Array, { readonly protocol: Protocol; readonly digest: Digest }>()

function read(bytes: Uint8Array, sha256: Sha256): { readonly protocol: Protocol; readonly digest: Digest } {
  const before = known.get(bytes)
  if (before !== undefined) return before
  const protocol = decodeProtocol(bytes)
  const decoded = { protocol, digest: protocolDigest(protocol, sha256) }
  known.set(bytes, decoded)
  return decoded
}
