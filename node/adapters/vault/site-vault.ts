import { join } from 'node:path'
import { computeAddress } from 'ethers'
import { fromHex, toHex } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import { type Address, address, type Digest, digest } from '#base/ids.ts'
import type { Random } from '#ports/host.ts'
import { type Cost, readPublic, readSealed, writeSealed } from './sealed-file.ts'
import { type OpenVault, type SiteSecrets, vaultOf } from './secrets-vault.ts'

const VAULT_FILE = 'vault.json'
const KIND = 'vault'

export const vaultPath = (dir: string): string => join(dir, VAULT_FILE)

/**
 * Draws a site's keys and writes them to `vault.json` in `dir`.
 * @throws ROTA-1303 when there is one already, ROTA-1306 when it cannot be written
 */
export async function createVault(dir: string, password: string, random: Random, cost?: Cost): Promise<OpenVault> {
  const secrets: SiteSecrets = { node: random.bytes(32), peer: random.bytes(32), encryption: random.bytes(32), site: random.bytes(32) }
  const vault = vaultOf(secrets, random)
  const content = {
    public: { node: vault.nodeAccount, encryption: vault.encryptionKey },
    secrets: { node: toHex(secrets.node), peer: toHex(secrets.peer), encryption: toHex(secrets.encryption), site: toHex(secrets.site) },
  }
  await writeSealed(vaultPath(dir), KIND, password, content, cost)
  return vault
}

/** @throws ROTA-1301 wrong password, ROTA-1302 no vault there */
export async function openVault(dir: string, password: string, random: Random): Promise<OpenVault> {
  const file = vaultPath(dir)
  const { secrets } = await readSealed(file, KIND, password)
  const part = (name: keyof SiteSecrets): Uint8Array => {
    const bytes = fromHex(secrets[name] ?? '')
    if (bytes.length !== 32) throw new RotaError('ROTA-1302', { file, reason: `its ${name} key is missing` })
    return bytes
  }
  return vaultOf({ node: part('node'), peer: part('peer'), encryption: part('encryption'), site: part('site') }, random)
}

/** What others may know, without the password. @throws ROTA-1302 */
export async function vaultAddresses(dir: string): Promise<{ readonly nodeAccount: Address; readonly encryptionKey: Digest }> {
  const fields = await readPublic(vaultPath(dir), KIND)
  return { nodeAccount: address(fields.node ?? ''), encryptionKey: digest(fields.encryption ?? '') }
}

/** A steward's or recovery account: a file of its own, best kept on another machine. @throws ROTA-1303, ROTA-1306 */
export async function createAccount(
  file: string,
  password: string,
  random: Random,
  cost?: Cost,
): Promise<{ readonly address: Address; readonly privateKey: string }> {
  const privateKey = toHex(random.bytes(32))
  const account = address(computeAddress(privateKey))
  await writeSealed(file, 'account', password, { public: { address: account }, secrets: { key: privateKey } }, cost)
  return { address: account, privateKey }
}

/** @throws ROTA-1301, ROTA-1302 */
export async function openAccount(file: string, password: string): Promise<{ readonly address: Address; readonly privateKey: string }> {
  const { secrets } = await readSealed(file, 'account', password)
  const privateKey = secrets.key
  if (privateKey === undefined || fromHex(privateKey).length !== 32) throw new RotaError('ROTA-1302', { file, reason: 'its key is missing' })
  return { address: address(computeAddress(privateKey)), privateKey }
}

/** The account's address, without the password. @throws ROTA-1302 */
export async function accountAddress(file: string): Promise<Address> {
  return address((await readPublic(file, 'account')).address ?? '')
}
