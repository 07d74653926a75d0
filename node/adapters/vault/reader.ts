import { toHex } from '#base/bytes.ts'
import type { Random } from '#ports/host.ts'
import { encryptionKeyOf } from './key-wrap.ts'
import { writeSealed } from './sealed-file.ts'
import { type Keyholder, keyholder } from './secrets-vault.ts'

/**
 * Draws an auditor's X25519 key, which protocols list as a reader, into a keystore of its own. It is no site's key.
 * @throws ROTA-1303 when the file exists, ROTA-1306 when it cannot be written
 */
export async function createReader(file: string, password: string, random: Random): Promise<Keyholder> {
  const secret = random.bytes(32)
  const reader = keyholder(encryptionKeyOf(secret), random)
  await writeSealed(file, 'reader', password, { public: { encryption: reader.encryptionKey }, secrets: { encryption: toHex(secret) } })
  return reader
}
