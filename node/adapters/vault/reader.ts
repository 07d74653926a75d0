import { fromHex, toHex } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import { type Digest, digest } from '#base/ids.ts'
import type { Random } from '#ports/host.ts'
import { encryptionKeyOf } from './key-wrap.ts'
import { readPublic, readSealed, writeSealed } from './sealed-file.ts'
import { type Keyholder, keyholder } from './secrets-vault.ts'

/**
 * An auditor's keys: an X25519 key that protocols list as a reader, and an Ed25519 seed that signs requests to a node's HTTP endpoint.
 * Neither is any site's key.
 */
export interface Reader extends Keyholder {
  readonly requestSeed: Uint8Array
}

const KIND = 'reader'

/** @throws ROTA-1303 when the file exists, ROTA-1306 when it cannot be written */
export async function createReader(file: string, password: string, random: Random): Promise<Reader> {
  const encryption = random.bytes(32)
  const request = random.bytes(32)
  const reader = readerOf(encryption, request, random)
  await writeSealed(file, KIND, password, { public: { encryption: reader.encryptionKey }, secrets: { encryption: toHex(encryption), request: toHex(request) } })
  return reader
}

/** @throws ROTA-1301 wrong password, ROTA-1302 no reader keystore */
export async function openReader(file: string, password: string, random: Random): Promise<Reader> {
  const { secrets } = await readSealed(file, KIND, password)
  const [encryption, request] = [fromHex(secrets.encryption ?? ''), fromHex(secrets.request ?? '')]
  if (encryption.length !== 32 || request.length !== 32) throw new RotaError('ROTA-1302', { file, reason: 'a key is missing' })
  return readerOf(encryption, request, random)
}

/** The public key to list in a protocol, without the password. @throws ROTA-1302 */
export async function readerKey(file: string): Promise<Digest> {
  return digest((await readPublic(file, KIND)).encryption ?? '')
}

const readerOf = (encryption: Uint8Array, request: Uint8Array, random: Random): Reader => ({
  ...keyholder(encryptionKeyOf(encryption), random),
  requestSeed: request,
})
